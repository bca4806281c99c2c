// SPDX-License-Identifier: Apache-2.0
// The items of a rule: what it matches.
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ethdev.h>

#include "dataplane/offload/emulated/rule_check.h"

namespace foreflow::offload::emulated {
namespace {

FlowAnswer<void> read_port(const rte_flow_item& item, RuleDraft& rule) {
  const auto* spec = static_cast<const rte_flow_item_ethdev*>(item.spec);
  const auto* mask = static_cast<const rte_flow_item_ethdev*>(item.mask);
  if (spec == nullptr) return {};
  if (mask != nullptr && mask->port_id != UINT16_MAX) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK, "no support for partial mask on \"id\" field");
  }
  if (rte_eth_dev_is_valid_port(spec->port_id) == 0) {
    return refuse(ENODEV, RTE_FLOW_ERROR_TYPE_ITEM_SPEC, "failed to obtain E-Switch info for port");
  }
  rule.mask.set_port(UINT16_MAX);
  rule.value.set_port(spec->port_id);
  return {};
}

FlowAnswer<void> read_eth(const rte_flow_item& item, RuleDraft& rule) {
  const auto* spec = static_cast<const rte_flow_item_eth*>(item.spec);
  const auto* mask = static_cast<const rte_flow_item_eth*>(item.mask);
  if (spec == nullptr) return {};
  rte_flow_item_eth addresses_only{};
  for (auto* address : {&addresses_only.hdr.dst_addr, &addresses_only.hdr.src_addr}) {
    for (auto& octet : address->addr_bytes) octet = 0xff;
  }
  if (mask == nullptr) mask = &addresses_only;
  for (const auto& [from, to] : {std::pair{mask, &rule.mask}, std::pair{spec, &rule.value}}) {
    to->set_destination(mac_number(from->hdr.dst_addr.addr_bytes));
    to->set_source(mac_number(from->hdr.src_addr.addr_bytes));
    to->set_outer_type(rte_be_to_cpu_16(from->hdr.ether_type));
    to->set_tagged(from->has_vlan);
  }
  return {};
}

FlowAnswer<void> read_vlan(const rte_flow_item& item, RuleDraft& rule) {
  constexpr std::uint16_t kVlanIdMask = 0x0fff;
  const auto* spec = static_cast<const rte_flow_item_vlan*>(item.spec);
  const auto* mask = static_cast<const rte_flow_item_vlan*>(item.mask);
  rule.mask.set_tagged(1);
  rule.value.set_tagged(1);
  if (spec == nullptr) return {};
  if (mask != nullptr && (mask->hdr.eth_proto != 0 || mask->has_more_vlan != 0)) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK, "only the VLAN's tag control is emulated");
  }
  rule.mask.set_tag_control(mask == nullptr ? kVlanIdMask : rte_be_to_cpu_16(mask->hdr.vlan_tci));
  rule.value.set_tag_control(rte_be_to_cpu_16(spec->hdr.vlan_tci));
  return {};
}

FlowAnswer<void> read_metadata(const rte_flow_item& item, RuleDraft& rule) {
  const auto* spec = static_cast<const rte_flow_item_meta*>(item.spec);
  const auto* mask = static_cast<const rte_flow_item_meta*>(item.mask);
  if (spec == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_SPEC, "data cannot be empty");
  const auto bits = mask == nullptr ? UINT32_MAX : mask->data;
  if (bits == 0) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_MASK, "mask cannot be zero");
  if (bits > UINT16_MAX) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK, "16 bits of metadata are emulated");
  rule.mask.set_metadata(bits);
  rule.value.set_metadata(spec->data & bits);
  return {};
}

// Bits that the mask asks for beyond what is emulated.
template <typename Header>
bool asks_beyond(const Header& mask, const Header& emulated) {
  const auto* asked = reinterpret_cast<const std::uint8_t*>(&mask);
  const auto* known = reinterpret_cast<const std::uint8_t*>(&emulated);
  for (std::size_t i = 0; i < sizeof(Header); ++i)
    if ((asked[i] & ~known[i]) != 0) return true;
  return false;
}

FlowAnswer<void> refuse_fields() {
  return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK, "mask enables non supported bits");
}

FlowAnswer<void> read_ipv4(const rte_flow_item& item, RuleDraft& rule) {
  constexpr std::uint16_t kFragment = 0x3fff;
  rule.mask.set_protocol(UINT16_MAX);
  rule.value.set_protocol(RTE_ETHER_TYPE_IPV4);
  const auto* spec = static_cast<const rte_flow_item_ipv4*>(item.spec);
  if (spec == nullptr) return {};
  rte_flow_item_ipv4 emulated{};
  emulated.hdr.src_addr = emulated.hdr.dst_addr = UINT32_MAX;
  const auto addresses = emulated;
  emulated.hdr.next_proto_id = UINT8_MAX;
  emulated.hdr.fragment_offset = rte_cpu_to_be_16(kFragment);
  const auto& mask = item.mask != nullptr ? *static_cast<const rte_flow_item_ipv4*>(item.mask) : addresses;
  if (asks_beyond(mask, emulated)) return refuse_fields();
  if (mask.hdr.fragment_offset != 0 &&
      (mask.hdr.fragment_offset != emulated.hdr.fragment_offset || spec->hdr.fragment_offset != 0))
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM, "match on first fragment not supported");
  rule.mask.set_fragment(mask.hdr.fragment_offset != 0 ? 1 : 0);
  for (const auto& [from, to] : {std::pair{&mask, &rule.mask}, std::pair{spec, &rule.value}}) {
    to->set_source_ip(0, rte_be_to_cpu_32(from->hdr.src_addr));
    to->set_destination_ip(0, rte_be_to_cpu_32(from->hdr.dst_addr));
    to->set_transport(from->hdr.next_proto_id);
  }
  return {};
}

FlowAnswer<void> read_ipv6(const rte_flow_item& item, RuleDraft& rule) {
  rule.mask.set_protocol(UINT16_MAX);
  rule.value.set_protocol(RTE_ETHER_TYPE_IPV6);
  const auto* spec = static_cast<const rte_flow_item_ipv6*>(item.spec);
  if (spec == nullptr) return {};
  rte_flow_item_ipv6 emulated{};
  for (auto& octet : emulated.hdr.src_addr) octet = 0xff;
  for (auto& octet : emulated.hdr.dst_addr) octet = 0xff;
  const auto addresses = emulated;
  emulated.hdr.proto = UINT8_MAX;
  emulated.has_frag_ext = 1;
  const auto& mask = item.mask != nullptr ? *static_cast<const rte_flow_item_ipv6*>(item.mask) : addresses;
  if (asks_beyond(mask, emulated)) return refuse_fields();
  for (const auto& [from, to] : {std::pair{&mask, &rule.mask}, std::pair{spec, &rule.value}}) {
    to->set_source_ip(read64(from->hdr.src_addr), read64(from->hdr.src_addr + 8));
    to->set_destination_ip(read64(from->hdr.dst_addr), read64(from->hdr.dst_addr + 8));
    to->set_transport(from->hdr.proto);
    to->set_fragment(from->has_frag_ext);
  }
  return {};
}

FlowAnswer<void> read_tcp(const rte_flow_item& item, RuleDraft& rule) {
  rule.mask.set_transport(UINT8_MAX);
  rule.value.set_transport(IPPROTO_TCP);
  const auto* spec = static_cast<const rte_flow_item_tcp*>(item.spec);
  if (spec == nullptr) return {};
  rte_flow_item_tcp emulated{};
  emulated.hdr.src_port = emulated.hdr.dst_port = UINT16_MAX;
  const auto ports = emulated;
  emulated.hdr.tcp_flags = UINT8_MAX;
  const auto& mask = item.mask != nullptr ? *static_cast<const rte_flow_item_tcp*>(item.mask) : ports;
  if (asks_beyond(mask, emulated)) return refuse_fields();
  for (const auto& [from, to] : {std::pair{&mask, &rule.mask}, std::pair{spec, &rule.value}}) {
    to->set_source_port(rte_be_to_cpu_16(from->hdr.src_port));
    to->set_destination_port(rte_be_to_cpu_16(from->hdr.dst_port));
    to->set_tcp_flags(from->hdr.tcp_flags);
  }
  return {};
}

FlowAnswer<void> read_udp(const rte_flow_item& item, RuleDraft& rule) {
  rule.mask.set_transport(UINT8_MAX);
  rule.value.set_transport(IPPROTO_UDP);
  const auto* spec = static_cast<const rte_flow_item_udp*>(item.spec);
  if (spec == nullptr) return {};
  rte_flow_item_udp emulated{};
  emulated.hdr.src_port = emulated.hdr.dst_port = UINT16_MAX;
  const auto& mask = item.mask != nullptr ? *static_cast<const rte_flow_item_udp*>(item.mask) : emulated;
  if (asks_beyond(mask, emulated)) return refuse_fields();
  for (const auto& [from, to] : {std::pair{&mask, &rule.mask}, std::pair{spec, &rule.value}}) {
    to->set_source_port(rte_be_to_cpu_16(from->hdr.src_port));
    to->set_destination_port(rte_be_to_cpu_16(from->hdr.dst_port));
  }
  return {};
}

}  // namespace

FlowAnswer<void> read_item(const rte_flow_item& item, RuleDraft& rule) {
  if (item.spec == nullptr && (item.mask != nullptr || item.last != nullptr)) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ITEM, "mask/last without a spec is not supported");
  }
  if (item.last != nullptr) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_LAST, "range is not supported");
  switch (item.type) {
    case RTE_FLOW_ITEM_TYPE_VOID:
      return {};
    case RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT:
      return read_port(item, rule);
    case RTE_FLOW_ITEM_TYPE_META:
      return read_metadata(item, rule);
    case RTE_FLOW_ITEM_TYPE_ETH:
      return read_eth(item, rule);
    case RTE_FLOW_ITEM_TYPE_VLAN:
      return read_vlan(item, rule);
    case RTE_FLOW_ITEM_TYPE_IPV4:
      return read_ipv4(item, rule);
    case RTE_FLOW_ITEM_TYPE_IPV6:
      return read_ipv6(item, rule);
    case RTE_FLOW_ITEM_TYPE_TCP:
      return read_tcp(item, rule);
    case RTE_FLOW_ITEM_TYPE_UDP:
      return read_udp(item, rule);
    default:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM, "item not supported");
  }
}

}  // namespace foreflow::offload::emulated
