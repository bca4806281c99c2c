// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/flow_pattern.h"

#include <cstring>

#include <rte_byteorder.h>

namespace foreflow::offload {
namespace {

void set_address(rte_ether_addr& spec, rte_ether_addr& mask, const MacAddress& mac) {
  std::memcpy(spec.addr_bytes, mac.octets.data(), mac.octets.size());
  std::memset(mask.addr_bytes, 0xff, sizeof(mask.addr_bytes));
}

}  // namespace

FlowPattern::FlowPattern(const Rule& rule) {
  attr_.group = rule.group;
  attr_.priority = rule.priority;
  attr_.transfer = 1;
  match_port(rule.match);
  match_addresses(rule.match);
  match_vlan(rule.match);
  add_item(RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr);
  if (rule.meter) {
    meter_.mtr_id = *rule.meter;
    add_action(RTE_FLOW_ACTION_TYPE_COUNT, &count_);
    add_action(RTE_FLOW_ACTION_TYPE_METER, &meter_);
  } else {
    jump_.group = rule.jump;
    add_action(RTE_FLOW_ACTION_TYPE_JUMP, &jump_);
  }
  add_action(RTE_FLOW_ACTION_TYPE_END, nullptr);
}

void FlowPattern::match_port(const RuleMatch& match) {
  port_.port_id = match.port_id;
  port_mask_.port_id = UINT16_MAX;
  add_item(RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT, &port_, &port_mask_);
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
