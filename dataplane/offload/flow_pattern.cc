// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/flow_pattern.h"

#include <cstring>

#include <netinet/in.h>
#include <rte_byteorder.h>

#include "dataplane/offload/steering.h"

namespace foreflow::offload {
namespace {

void set_address(rte_ether_addr& spec, rte_ether_addr& mask, const MacAddress& mac) {
  std::memcpy(spec.addr_bytes, mac.octets.data(), mac.octets.size());
  std::memset(mask.addr_bytes, 0xff, sizeof(mask.addr_bytes));
}

rte_be32_t prefix_mask(std::uint8_t bits) {
  return rte_cpu_to_be_32(bits == 0 ? 0 : ~std::uint32_t{0} << (32u - bits));
}

// Ports and flags are looked for in whole datagrams: a fragment may have none.
bool names_transport(const HeaderMatch& match) {
  return match.source_port != 0 || match.destination_port != 0 || match.within_connection;
}

}  // namespace

FlowPattern::FlowPattern(const Rule& rule) {
  attr_.group = rule.group;
  attr_.priority = rule.priority;
  attr_.transfer = 1;
  match_port(rule.match);
  if (rule.match.steered_away) match_metadata();
  match_addresses(rule.match);
  match_vlan(rule.match);
  if (rule.match.headers.ip_version == 4) match_ipv4(rule.match.headers);
  if (rule.match.headers.ip_version == 6) match_ipv6(rule.match.headers);
  match_transport(rule.match.headers);
  add_item(RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr);
  act(rule);
  end(rule);
  add_action(RTE_FLOW_ACTION_TYPE_END, nullptr);
}

void FlowPattern::act(const Rule& rule) {
  const auto& actions = rule.actions;
  if (actions.count) add_action(RTE_FLOW_ACTION_TYPE_COUNT, &count_);
  if (actions.idle_seconds != 0) {
    age_.timeout = actions.idle_seconds & 0xff'ffffu;
    add_action(RTE_FLOW_ACTION_TYPE_AGE, &age_);
  }
  // A device takes no change of a packet that it is to drop.
  if (actions.dscp && !rule.drop) mark(*actions.dscp, rule.match.headers.ip_version);
  if (actions.metadata && !rule.drop) write_metadata(*actions.metadata);
  if (actions.mirror_port) mirror(*actions.mirror_port, actions.mirror_one_in);
}

void FlowPattern::end(const Rule& rule) {
  if (rule.meter) {
    meter_.mtr_id = *rule.meter;
    add_action(RTE_FLOW_ACTION_TYPE_METER, &meter_);
  } else if (rule.drop) {
    add_action(RTE_FLOW_ACTION_TYPE_DROP, nullptr);
  } else if (rule.out_port) {
    out_port_.port_id = *rule.out_port;
    add_action(RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, &out_port_);
  } else {
    jump_.group = rule.jump;
    add_action(RTE_FLOW_ACTION_TYPE_JUMP, &jump_);
  }
}

// The immediate value stands right-aligned in its octet.
void FlowPattern::mark(std::uint8_t dscp, std::uint8_t ip_version) {
  constexpr std::uint32_t kDscpBits = 6;
  modify_.operation = RTE_FLOW_MODIFY_SET;
  modify_.dst.field = ip_version == 4 ? RTE_FLOW_FIELD_IPV4_DSCP : RTE_FLOW_FIELD_IPV6_DSCP;
  modify_.src.field = RTE_FLOW_FIELD_VALUE;
  modify_.src.value[0] = dscp;
  modify_.width = kDscpBits;
  add_action(RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, &modify_);
}

// Metadata has the byte order of the host.
void FlowPattern::write_metadata(const MetadataField& field) {
  const std::uint32_t value = field.value;
  modify_metadata_.operation = RTE_FLOW_MODIFY_SET;
  modify_metadata_.dst.field = RTE_FLOW_FIELD_META;
  modify_metadata_.dst.offset = field.offset;
  modify_metadata_.src.field = RTE_FLOW_FIELD_VALUE;
  std::memcpy(modify_metadata_.src.value, &value, sizeof(value));
  modify_metadata_.width = field.width;
  add_action(RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, &modify_metadata_);
}

void FlowPattern::mirror(std::uint16_t port_id, std::uint32_t one_in) {
  mirror_port_.port_id = port_id;
  of_the_copy_[0] = {.type = RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, .conf = &mirror_port_};
  sample_.ratio = one_in;
  sample_.actions = of_the_copy_.data();
  add_action(RTE_FLOW_ACTION_TYPE_SAMPLE, &sample_);
}

void FlowPattern::match_port(const RuleMatch& match) {
  port_.port_id = match.port_id;
  port_mask_.port_id = UINT16_MAX;
  add_item(RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT, &port_, &port_mask_);
}

void FlowPattern::match_metadata() {
  meta_.data = meta_mask_.data = std::uint32_t{kSteersAway} << steering_offset(Direction::kEgress);
  add_item(RTE_FLOW_ITEM_TYPE_META, &meta_, &meta_mask_);
}

void FlowPattern::match_addresses(const RuleMatch& match) {
  if (!match.source && !match.destination) return;
  if (match.source) set_address(eth_.hdr.src_addr, eth_mask_.hdr.src_addr, *match.source);
  if (match.destination) set_address(eth_.hdr.dst_addr, eth_mask_.hdr.dst_addr, *match.destination);
  add_item(RTE_FLOW_ITEM_TYPE_ETH, &eth_, &eth_mask_);
}

void FlowPattern::match_vlan(const RuleMatch& match) {
  constexpr std::uint16_t kVlanIdMask = 0x0fff;
  if (match.segment.value == 0) return;
  vlan_.hdr.vlan_tci = rte_cpu_to_be_16(static_cast<std::uint16_t>(match.segment.value));
  vlan_mask_.hdr.vlan_tci = rte_cpu_to_be_16(kVlanIdMask);
  add_item(RTE_FLOW_ITEM_TYPE_VLAN, &vlan_, &vlan_mask_);
}

void FlowPattern::match_ipv4(const HeaderMatch& match) {
  constexpr std::uint16_t kFragment = 0x3fff;  // more-fragments and offset
  std::memcpy(&ipv4_.hdr.src_addr, match.source.data(), 4);
  std::memcpy(&ipv4_.hdr.dst_addr, match.destination.data(), 4);
  ipv4_mask_.hdr.src_addr = prefix_mask(match.source_prefix);
  ipv4_mask_.hdr.dst_addr = prefix_mask(match.destination_prefix);
  if (match.protocol != 0) {
    ipv4_.hdr.next_proto_id = match.protocol;
    ipv4_mask_.hdr.next_proto_id = 0xff;
  }
  if (names_transport(match)) ipv4_mask_.hdr.fragment_offset = rte_cpu_to_be_16(kFragment);
  add_item(RTE_FLOW_ITEM_TYPE_IPV4, &ipv4_, &ipv4_mask_);
}

void FlowPattern::match_ipv6(const HeaderMatch& match) {
  std::memcpy(ipv6_.hdr.src_addr, match.source.data(), match.source.size());
  std::memcpy(ipv6_.hdr.dst_addr, match.destination.data(), match.destination.size());
  if (match.source_prefix != 0) std::memset(ipv6_mask_.hdr.src_addr, 0xff, sizeof(ipv6_mask_.hdr.src_addr));
  if (match.destination_prefix != 0) std::memset(ipv6_mask_.hdr.dst_addr, 0xff, sizeof(ipv6_mask_.hdr.dst_addr));
  if (match.protocol != 0) {
    ipv6_.hdr.proto = match.protocol;
    ipv6_mask_.hdr.proto = 0xff;
  }
  if (names_transport(match)) ipv6_mask_.has_frag_ext = 1;
  add_item(RTE_FLOW_ITEM_TYPE_IPV6, &ipv6_, &ipv6_mask_);
}

void FlowPattern::match_transport(const HeaderMatch& match) {
  constexpr std::uint8_t kSynFinRst = 0x07;
  if (!names_transport(match)) return;
  const auto exact = [](std::uint16_t port) { return static_cast<rte_be16_t>(port == 0 ? 0 : 0xffff); };
  if (match.protocol == IPPROTO_TCP) {
    tcp_.hdr.src_port = rte_cpu_to_be_16(match.source_port);
    tcp_.hdr.dst_port = rte_cpu_to_be_16(match.destination_port);
    tcp_mask_.hdr.src_port = exact(match.source_port);
    tcp_mask_.hdr.dst_port = exact(match.destination_port);
    if (match.within_connection) tcp_mask_.hdr.tcp_flags = kSynFinRst;
    return add_item(RTE_FLOW_ITEM_TYPE_TCP, &tcp_, &tcp_mask_);
  }
  udp_.hdr.src_port = rte_cpu_to_be_16(match.source_port);
  udp_.hdr.dst_port = rte_cpu_to_be_16(match.destination_port);
  udp_mask_.hdr.src_port = exact(match.source_port);
  udp_mask_.hdr.dst_port = exact(match.destination_port);
  add_item(RTE_FLOW_ITEM_TYPE_UDP, &udp_, &udp_mask_);
}

void FlowPattern::add_item(rte_flow_item_type type, const void* spec, const void* mask) {
  auto& item = items_.at(item_count_++);
  item.type = type;
  item.spec = spec;
  item.mask = mask;
}

void FlowPattern::add_action(rte_flow_action_type type, const void* conf) {
  auto& action = actions_.at(action_count_++);
  action.type = type;
  action.conf = conf;
}

}  // namespace foreflow::offload
