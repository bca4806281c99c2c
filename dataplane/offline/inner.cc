// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/inner.h"

#include <pcap/dlt.h>

namespace foreflow::offline {
namespace {

using net::Octets;

constexpr std::uint8_t kGre = 47;
constexpr std::uint16_t kVxlanPort = 4789, kGenevePort = 6081, kGtpUserPort = 2152;
constexpr std::uint16_t kEthernet = 0x6558, kIpv4 = 0x0800, kIpv6 = 0x86dd;
constexpr int kMostTunnels = 4;

std::optional<InnerFrame> of_type(std::uint16_t ether_type, Octets bytes) noexcept {
  if (bytes.size() == 0) return std::nullopt;
  if (ether_type == kEthernet) return InnerFrame{DLT_EN10MB, bytes};
  if (ether_type == kIpv4 || ether_type == kIpv6) return InnerFrame{DLT_RAW, bytes};
  return std::nullopt;
}

std::optional<InnerFrame> in_vxlan(Octets payload) noexcept {
  const bool is_vxlan = payload.has(0, 8) && payload.u8(0) == 0x08 && payload.u8(7) == 0;
  return is_vxlan ? of_type(kEthernet, payload.part(8)) : std::nullopt;
}

std::optional<InnerFrame> in_geneve(Octets payload) noexcept {
  if (!payload.has(0, 8) || payload.u8(0) >> 6 != 0) return std::nullopt;
  return of_type(payload.be16(2), payload.part(8u + (payload.u8(0) & 0x3fu) * 4u));
}

// Checksum, key and sequence number are there or not; version 1 is PPTP's and carries PPP.
std::optional<InnerFrame> in_gre(Octets payload) noexcept {
  const auto flags = payload.be16(0);
  if (!payload.has(0, 4) || (flags & 7) != 0 || (flags & 0x4000) != 0) return std::nullopt;
  std::size_t size = 4;
  for (const auto present : {0x8000, 0x2000, 0x1000}) size += (flags & present) != 0 ? 4 : 0;
  return of_type(payload.be16(2), payload.part(size));
}

// A user's packet (type 255); with any of three flags four more bytes, then perhaps extension headers.
std::optional<InnerFrame> in_gtp(Octets payload) noexcept {
  constexpr int kMostExtensions = 8;
  const auto flags = payload.u8(0);
  if (!payload.has(0, 8) || flags >> 4 != 3 || payload.u8(1) != 255) return std::nullopt;
  std::size_t size = (flags & 7) != 0 ? 12 : 8;
  std::uint8_t next = (flags & 4) != 0 ? payload.u8(11) : std::uint8_t{0};
  for (int i = 0; i < kMostExtensions && next != 0; ++i) {
    const std::size_t words = payload.u8(size);
    if (words == 0) return std::nullopt;
    size += words * 4;
    next = payload.u8(size - 1);
  }
  const auto version = payload.u8(size) >> 4;
  return of_type(version == 4 ? kIpv4 : version == 6 ? kIpv6 : std::uint16_t{0}, payload.part(size));
}

}  // namespace

std::optional<InnerFrame> find_inner(const Dissected& packet) noexcept {
  const auto& [headers, payload] = packet;
  if (headers.ip_protocol == kGre) return in_gre(payload);
  if (headers.ip_protocol != net::kUdp) return std::nullopt;
  switch (headers.destination_port) {
    case kVxlanPort:
      return in_vxlan(payload);
    case kGenevePort:
      return in_geneve(payload);
    case kGtpUserPort:
      return in_gtp(payload);
    default:
      return std::nullopt;
  }
}

void enter_tunnels(Dissected& packet) noexcept {
  for (int i = 0; i < kMostTunnels; ++i) {
    const auto inner = find_inner(packet);
    if (!inner) return;
    Dissected inside;
    const auto& bytes = inner->bytes;
    if (!dissect(inner->link_type, {bytes.data(), bytes.size()}, bytes.whole_size(), inside)) return;
    packet = inside;
  }
}

}  // namespace foreflow::offline
