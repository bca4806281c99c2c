// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/rule_check.h"

#include <cerrno>

#include <rte_byteorder.h>
#include <rte_ethdev.h>

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint32_t kWeakestRootPriority = 15;
constexpr std::uint32_t kWeakestPriority = 21'843;

FlowAnswer<void> check_attr(const rte_flow_attr& attr) {
  if (attr.ingress + attr.egress + attr.transfer != 1) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ATTR, "must specify exactly one of ingress, egress or transfer");
  }
  if (attr.transfer == 0) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_TRANSFER, "only transfer rules are emulated");
  }
  if (attr.priority > (attr.group == 0 ? kWeakestRootPriority : kWeakestPriority)) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_PRIORITY, "priority out of range");
  }
  return {};
}

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

FlowAnswer<void> read_ip(const rte_flow_item& item, std::uint16_t protocol, RuleDraft& rule) {
  if (item.spec != nullptr) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_SPEC, "fields of the IP header are not emulated");
  }
  rule.mask.set_protocol(UINT16_MAX);
  rule.value.set_protocol(protocol);
  return {};
}

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
    case RTE_FLOW_ITEM_TYPE_ETH:
      return read_eth(item, rule);
    case RTE_FLOW_ITEM_TYPE_VLAN:
      return read_vlan(item, rule);
    case RTE_FLOW_ITEM_TYPE_IPV4:
      return read_ip(item, RTE_ETHER_TYPE_IPV4, rule);
    case RTE_FLOW_ITEM_TYPE_IPV6:
      return read_ip(item, RTE_ETHER_TYPE_IPV6, rule);
    default:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM, "item not supported");
  }
}

FlowAnswer<void> read_meter(const rte_flow_action& action, RuleDraft& rule) {
  if (rule.meter) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter chaining not support, use a meter hierarchy");
  }
  if (rule.jump) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter with jump not support: METER precedes JUMP");
  if (action.conf == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "meter action conf can't be NULL");
  if (rule.group == 0) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter is not supported in group 0");
  rule.meter = static_cast<const rte_flow_action_meter*>(action.conf)->mtr_id;
  return {};
}

FlowAnswer<void> read_jump(const rte_flow_action& action, RuleDraft& rule) {
  if (rule.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "can't have 2 fate actions in same flow");
  }
  if (action.conf == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "no action configuration");
  const auto target = static_cast<const rte_flow_action_jump*>(action.conf)->group;
  if (target == rule.group) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "target group must be other than the current flow group");
  }
  rule.jump = target;
  return {};
}

FlowAnswer<void> read_action(const rte_flow_action& action, RuleDraft& rule) {
  switch (action.type) {
    case RTE_FLOW_ACTION_TYPE_VOID:
    case RTE_FLOW_ACTION_TYPE_AGE:
      return {};
    case RTE_FLOW_ACTION_TYPE_COUNT:
      rule.counts = true;
      return {};
    case RTE_FLOW_ACTION_TYPE_METER:
      return read_meter(action, rule);
    case RTE_FLOW_ACTION_TYPE_JUMP:
      return read_jump(action, rule);
    case RTE_FLOW_ACTION_TYPE_DROP:
      if (rule.ends_itself()) {
        return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "can't have 2 fate actions in same flow");
      }
      rule.drops = true;
      return {};
    case RTE_FLOW_ACTION_TYPE_MODIFY_FIELD:
      return refuse(
          ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
          rule.group == 0 ? "modify field action is not supported for group 0" : "modify field action is not emulated");
    case RTE_FLOW_ACTION_TYPE_QUEUE:
    case RTE_FLOW_ACTION_TYPE_RSS:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "unsupported action in the E-Switch");
    default:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "action not supported");
  }
}

// A shared AGE arrives as INDIRECT; nothing but AGE is emulated as such.
FlowAnswer<void> check_shared_age(const rte_flow_action* actions, std::uint32_t group) {
  bool shared = false;
  bool meter = false;
  for (; actions->type != RTE_FLOW_ACTION_TYPE_END; ++actions) {
    shared |= actions->type == RTE_FLOW_ACTION_TYPE_INDIRECT;
    meter |= actions->type == RTE_FLOW_ACTION_TYPE_METER;
  }
  if (!shared) return {};
  if (meter) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
                  "unsupported combining AGE, METER, CT ASO actions in a single rule");
  }
  return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
                group == 0 ? "indirect age action is not supported in group 0" : "indirect actions are not emulated");
}

}  // namespace

FlowAnswer<RuleDraft> read_rule(const rte_flow_attr& attr, const rte_flow_item* items, const rte_flow_action* actions) {
  if (auto checked = check_attr(attr); !checked) return tl::unexpected(checked.error());
  RuleDraft rule{.group = attr.group, .priority = attr.priority};
  if (items == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_NUM, "NULL pattern");
  if (actions == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_NUM, "NULL action");
  for (; items->type != RTE_FLOW_ITEM_TYPE_END; ++items) {
    if (auto read = read_item(*items, rule); !read) return tl::unexpected(read.error());
  }
  rule.value = rule.value.masked(rule.mask);
  if (auto checked = check_shared_age(actions, attr.group); !checked) return tl::unexpected(checked.error());
  for (; actions->type != RTE_FLOW_ACTION_TYPE_END; ++actions) {
    if (auto read = read_action(*actions, rule); !read) return tl::unexpected(read.error());
  }
  if (!rule.meter && !rule.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "no fate action is found");
  }
  return rule;
}

}  // namespace foreflow::offload::emulated
