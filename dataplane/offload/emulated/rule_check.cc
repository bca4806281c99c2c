// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/rule_check.h"

#include <cerrno>
#include <cstring>

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

FlowAnswer<void> read_meter(const rte_flow_action& action, RuleDraft& rule) {
  if (action.conf == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "meter action conf is NULL");
  if (rule.meter) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter chaining not support");
  if (rule.jump) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter with jump not support");
  if (rule.mirror_port) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "sample before ASO action is not supported");
  if (rule.group == 0) return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter is not supported in group 0");
  rule.meter = static_cast<const rte_flow_action_meter*>(action.conf)->mtr_id;
  return {};
}

FlowAnswer<void> read_jump(const rte_flow_action& action, RuleDraft& rule) {
  if (rule.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "can't have 2 fate actions in same flow");
  }
  if (action.conf == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_CONF, "action configuration not set");
  const auto target = static_cast<const rte_flow_action_jump*>(action.conf)->group;
  if (target == rule.group) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "target group must be other than the current flow group");
  }
  rule.jump = target;
  return {};
}

FlowAnswer<void> read_out_port(const rte_flow_action& action, RuleDraft& rule) {
  if (action.conf == nullptr)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION_CONF, "port action parameters must be specified");
  if (rule.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "can have only one fate actions in a flow");
  }
  const auto port = static_cast<const rte_flow_action_ethdev*>(action.conf)->port_id;
  if (rte_eth_dev_is_valid_port(port) == 0)
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "failed to obtain E-Switch port id for port");
  rule.out_port = port;
  return {};
}

FlowAnswer<void> read_age(const rte_flow_action& action, RuleDraft& rule) {
  const auto* age = static_cast<const rte_flow_action_age*>(action.conf);
  if (age == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "configuration cannot be null");
  if (age->timeout == 0) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "invalid timeout value 0");
  if (rule.idle_seconds != 0) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "duplicate age actions set");
  rule.idle_seconds = age->timeout;
  return {};
}

FlowAnswer<void> read_metadata(const rte_flow_action_modify_field& modify, RuleDraft& rule) {
  constexpr std::uint32_t kBits = 16;
  if (modify.src.field != RTE_FLOW_FIELD_VALUE || modify.width == 0 || modify.dst.offset + modify.width > kBits)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "only 16 bits of metadata set to a value are emulated");
  std::uint32_t value = 0;
  std::memcpy(&value, modify.src.value, sizeof(value));
  const auto mask = (1u << modify.width) - 1;
  rule.metadata_mask = static_cast<std::uint16_t>(rule.metadata_mask | mask << modify.dst.offset);
  rule.metadata = static_cast<std::uint16_t>(rule.metadata | (value & mask) << modify.dst.offset);
  return {};
}

FlowAnswer<void> read_modify(const rte_flow_action& action, RuleDraft& rule) {
  constexpr std::uint32_t kDscpBits = 6;
  const auto* modify = static_cast<const rte_flow_action_modify_field*>(action.conf);
  if (rule.group == 0)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "modify field action is not supported for group 0");
  if (modify == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "configuration cannot be null");
  if (modify->operation != RTE_FLOW_MODIFY_SET)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "add and sub operations are not supported");
  if (modify->dst.field == RTE_FLOW_FIELD_META) return read_metadata(*modify, rule);
  const bool to_dscp = modify->dst.field == RTE_FLOW_FIELD_IPV4_DSCP || modify->dst.field == RTE_FLOW_FIELD_IPV6_DSCP;
  if (!to_dscp || modify->src.field != RTE_FLOW_FIELD_VALUE || modify->width != kDscpBits)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "only a whole DSCP set to a value is emulated");
  rule.dscp = modify->src.value[0] & 0x3f;
  return {};
}

// Of all samples there is only the mirror: every packet, to one port.
FlowAnswer<void> read_sample(const rte_flow_action& action, RuleDraft& rule) {
  const auto* sample = static_cast<const rte_flow_action_sample*>(action.conf);
  if (sample == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "configuration cannot be NULL");
  if (sample->ratio == 0) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "ratio value starts from 1");
  if (rule.mirror_port) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "Multiple sample actions not supported");
  if (rule.meter)
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "wrong action order, meter should be after sample action");
  if (rule.jump)
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "wrong action order, jump should be after sample action");
  const auto* copy = sample->actions;
  if (sample->ratio > 1 && copy != nullptr && copy->type != RTE_FLOW_ACTION_TYPE_END)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "E-Switch doesn't support any optional action for sampling");
  if (sample->ratio > 1)
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "samples to the E-Switch manager are not emulated");
  if (copy == nullptr || copy->type != RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT || copy->conf == nullptr)
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "E-Switch must has a dest port for mirroring");
  const auto port = static_cast<const rte_flow_action_ethdev*>(copy->conf)->port_id;
  if (rte_eth_dev_is_valid_port(port) == 0)
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "failed to obtain E-Switch port id for port");
  rule.mirror_port = port;
  return {};
}

FlowAnswer<void> read_action(const rte_flow_action& action, RuleDraft& rule) {
  switch (action.type) {
    case RTE_FLOW_ACTION_TYPE_VOID:
      return {};
    case RTE_FLOW_ACTION_TYPE_AGE:
      return read_age(action, rule);
    case RTE_FLOW_ACTION_TYPE_COUNT:
      rule.counts = true;
      return {};
    case RTE_FLOW_ACTION_TYPE_METER:
      return read_meter(action, rule);
    case RTE_FLOW_ACTION_TYPE_JUMP:
      return read_jump(action, rule);
    case RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT:
      return read_out_port(action, rule);
    case RTE_FLOW_ACTION_TYPE_DROP:
      if (rule.ends_itself()) {
        return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "can't have 2 fate actions in same flow");
      }
      rule.drops = true;
      return {};
    case RTE_FLOW_ACTION_TYPE_MODIFY_FIELD:
      return read_modify(action, rule);
    case RTE_FLOW_ACTION_TYPE_SAMPLE:
      return read_sample(action, rule);
    case RTE_FLOW_ACTION_TYPE_QUEUE:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "unsupported action QUEUE");
    case RTE_FLOW_ACTION_TYPE_RSS:
      return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "unsupported action RSS");
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
  return refuse(
      ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
      group == 0 ? "Shared ASO age action is not supported for group 0" : "indirect actions are not emulated");
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
  if (rule.drops && (rule.meter || rule.dscp || rule.metadata_mask != 0)) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION,
                  "Drop action is mutually-exclusive with any other action, except for Count/Sample/Age action");
  }
  if (!rule.meter && !rule.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "no fate action is found");
  }
  return rule;
}

}  // namespace foreflow::offload::emulated
