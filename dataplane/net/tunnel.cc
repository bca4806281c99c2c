// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/tunnel.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/octets.h"

namespace foreflow::net {
namespace {

constexpr std::size_t kUdpSize = 8;
constexpr std::size_t kHeaderSize = 8;  // of VXLAN, and of Geneve before its options
constexpr std::uint8_t kVniIsValid = 0x08;
constexpr std::uint16_t kEthernet = 0x6558;  // what Geneve carries
constexpr std::uint8_t kCritical = 0x40;
constexpr std::uint16_t kArp = 0x0806;

void put16(std::uint8_t* to, std::uint32_t value) noexcept {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

std::uint16_t ip_checksum(const std::uint8_t* header) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < 20; at += 2) sum += load_be16(header + at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

template <typename Address>
std::uint8_t* put(std::uint8_t* to, const Address& address) noexcept {
  return std::copy(address.octets.begin(), address.octets.end(), to);
}

bool is_for(const TunnelEnd& end, const Parsed& outer) noexcept {
  return outer.ip_version == 4 && outer.ip_protocol == kUdp && !outer.fragment && outer.segment.value == 0 &&
         outer.destination_port == end.udp_port &&
         std::equal(end.local.octets.begin(), end.local.octets.end(), outer.destination_ip.bytes.begin() + 12);
}

}  // namespace

TunnelStatus find_inner(const TunnelEnd& end, const Parsed& outer, std::span<const std::uint8_t> bytes,
                        Inner& inner) noexcept {
  if (!is_for(end, outer)) return TunnelStatus::kNone;
  const Octets header = Octets(bytes).part(outer.payload_offset, kHeaderSize);
  if (header.size() < kHeaderSize || outer.payload_size < kHeaderSize) return TunnelStatus::kMalformed;
  std::size_t options = 0;
  if (end.kind == wire::TunnelKind::kVxlan) {
    if ((header.u8(0) & kVniIsValid) == 0) return TunnelStatus::kMalformed;
  } else {
    if (header.u8(0) >> 6 != 0 || (header.u8(1) & kCritical) != 0 || header.be16(2) != kEthernet)
      return TunnelStatus::kMalformed;
    options = (header.u8(0) & 0x3fu) * 4u;
    if (options > outer.payload_size - kHeaderSize) return TunnelStatus::kMalformed;
  }
  inner.vni = header.be24(4);
  inner.offset = outer.payload_offset + kHeaderSize + options;
  inner.size = Octets(bytes).be16(outer.payload_offset - kUdpSize + 4) - kUdpSize - kHeaderSize - options;
  std::copy_n(outer.source_ip.bytes.begin() + 12, 4, inner.from.octets.begin());
  return TunnelStatus::kInner;
}

void write_outer(std::span<std::uint8_t, kOuterSize> to, const TunnelEnd& end, Ipv4Address remote, std::uint32_t vni,
                 std::size_t inner_size, std::uint32_t entropy) noexcept {
  constexpr std::uint32_t kFirstDynamicPort = 49'152;
  std::memset(to.data(), 0, kOuterSize);
  auto* ethernet = to.data();
  put16(put(put(ethernet, end.next_hop), end.source), 0x0800);
  auto* ip = ethernet + 14;
  put16(ip, 0x4500);
  put16(ip + 2, static_cast<std::uint32_t>(20 + kUdpSize + kHeaderSize + inner_size));
  put16(ip + 6, 0x4000);  // not to be fragmented
  ip[8] = 64;
  ip[9] = kUdp;
  put(put(ip + 12, end.local), remote);
  put16(ip + 10, ip_checksum(ip));
  auto* udp = ip + 20;
  put16(udp, kFirstDynamicPort + (entropy & 0x3fff));
  put16(udp + 2, end.udp_port);
  put16(udp + 4, static_cast<std::uint32_t>(kUdpSize + kHeaderSize + inner_size));
  auto* header = udp + kUdpSize;
  if (end.kind == wire::TunnelKind::kVxlan)
    header[0] = kVniIsValid;
  else
    put16(header + 2, kEthernet);
  header[4] = static_cast<std::uint8_t>(vni >> 16);
  put16(header + 5, vni & 0xffff);
}

bool answer_arp(std::span<std::uint8_t> frame, const TunnelEnd& end) noexcept {
  constexpr std::array<std::uint8_t, 8> kRequest{0, 1, 8, 0, 6, 4, 0, 1};  // Ethernet, IPv4, request
  if (frame.size() < 42 || load_be16(&frame[12]) != kArp || !std::equal(kRequest.begin(), kRequest.end(), &frame[14]) ||
      !std::equal(end.local.octets.begin(), end.local.octets.end(), &frame[38]))
    return false;
  std::copy_n(&frame[22], 10, &frame[32]);  // who asked is the target
  std::copy_n(&frame[6], 6, &frame[0]);
  put(&frame[6], end.source);
  frame[21] = 2;
  put(put(&frame[22], end.source), end.local);
  return true;
}

}  // namespace foreflow::net
