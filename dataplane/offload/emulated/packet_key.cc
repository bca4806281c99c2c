// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/packet_key.h"

#include <rte_ether.h>

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint32_t kTagSize = sizeof(rte_vlan_hdr);
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

std::uint16_t read16(const std::uint8_t* bytes) { return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]); }
std::uint32_t read32(const std::uint8_t* bytes) { return std::uint32_t{read16(bytes)} << 16 | read16(bytes + 2); }

bool is_tag(std::uint16_t type) { return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ; }

bool stripped(const rte_mbuf& packet) { return (packet.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0; }

// The bytes of the packet from where reading has come to.
struct Rest {
  const std::uint8_t* bytes;
  std::uint32_t size;
  bool skip(std::uint32_t count) {
    if (count > size) return false;
    bytes += count;
    size -= count;
    return true;
  }
};

void read_transport(Rest rest, std::uint8_t protocol, PacketKey& key) {
  if ((protocol != kTcp && protocol != kUdp) || rest.size < 4) return;
  key.set_source_port(read16(rest.bytes));
  key.set_destination_port(read16(rest.bytes + 2));
  if (protocol == kTcp && rest.size > 13) key.set_tcp_flags(rest.bytes[13]);
}

void read_ipv4(Rest rest, PacketKey& key) {
  constexpr std::uint16_t kMoreOrOffset = 0x3fff;
  constexpr std::uint16_t kOffset = 0x1fff;
  if (rest.size < 20) return;
  const auto protocol = rest.bytes[9];
  const auto fragment = read16(rest.bytes + 6);
  key.set_transport(protocol);
  key.set_fragment((fragment & kMoreOrOffset) != 0 ? 1 : 0);
  key.set_source_ip(0, read32(rest.bytes + 12));
  key.set_destination_ip(0, read32(rest.bytes + 16));
  if ((fragment & kOffset) == 0 && rest.skip((rest.bytes[0] & 0xfu) * 4u)) read_transport(rest, protocol, key);
}

// The size of an extension header, 0 when `protocol` is none.
std::uint32_t extension_size(std::uint8_t protocol, const Rest& rest) {
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kOptions = 60;
  if (rest.size < 8) return 0;
  switch (protocol) {
    case kHopByHop:
    case kRouting:
    case kOptions:
      return (rest.bytes[1] + 1u) * 8u;
    case kAuthentication:
      return (rest.bytes[1] + 2u) * 4u;
    case kFragment:
      return 8;
    default:
      return 0;
  }
}

void read_ipv6(Rest rest, PacketKey& key) {
  constexpr std::uint8_t kFragment = 44;
  if (rest.size < 40) return;
  auto protocol = rest.bytes[6];
  key.set_source_ip(read64(rest.bytes + 8), read64(rest.bytes + 16));
  key.set_destination_ip(read64(rest.bytes + 24), read64(rest.bytes + 32));
  rest.skip(40);
  bool later_piece = false;
  while (const auto size = extension_size(protocol, rest)) {
    const auto next = rest.bytes[0];
    if (protocol == kFragment) {
      key.set_fragment(1);
      later_piece = (read16(rest.bytes + 2) & 0xfff8) != 0;
    }
    protocol = next;
    if (!rest.skip(size) || later_piece) break;
  }
  key.set_transport(protocol);
  if (!later_piece) read_transport(rest, protocol, key);
}

}  // namespace

PacketKey key_of(std::uint16_t port_id, const rte_mbuf& packet) {
  PacketKey key;
  key.set_port(port_id);
  const std::uint32_t size = packet.data_len;
  if (size < sizeof(rte_ether_hdr)) return key;
  const auto* bytes = rte_pktmbuf_mtod(&packet, const std::uint8_t*);
  key.set_destination(mac_number(bytes));
  key.set_source(mac_number(bytes + RTE_ETHER_ADDR_LEN));
  std::uint32_t at = 2 * RTE_ETHER_ADDR_LEN;
  auto type = read16(bytes + at);
  bool tagged = stripped(packet);
  key.set_outer_type(tagged ? RTE_ETHER_TYPE_VLAN : type);
  if (tagged) key.set_tag_control(packet.vlan_tci);
  at += sizeof(type);
  while (is_tag(type) && at + kTagSize <= size) {
    if (!tagged) key.set_tag_control(read16(bytes + at));
    tagged = true;
    type = read16(bytes + at + 2);
    at += kTagSize;
  }
  key.set_tagged(tagged ? 1 : 0);
  key.set_protocol(type);
  const Rest rest{bytes + at, size - at};
  if (type == RTE_ETHER_TYPE_IPV4) read_ipv4(rest, key);
  if (type == RTE_ETHER_TYPE_IPV6) read_ipv6(rest, key);
  return key;
}

std::uint32_t wire_size(const rte_mbuf& packet) {
  return rte_pktmbuf_pkt_len(&packet) + (stripped(packet) ? kTagSize : 0);
}

}  // namespace foreflow::offload::emulated
