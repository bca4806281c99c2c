// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/packet_key.h"

#include <rte_ether.h>

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint32_t kTagSize = sizeof(rte_vlan_hdr);

std::uint16_t read16(const std::uint8_t* bytes) { return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]); }

bool is_tag(std::uint16_t type) { return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ; }

bool stripped(const rte_mbuf& packet) { return (packet.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0; }

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
  return key;
}

std::uint32_t wire_size(const rte_mbuf& packet) {
  return rte_pktmbuf_pkt_len(&packet) + (stripped(packet) ? kTagSize : 0);
}

}  // namespace foreflow::offload::emulated
