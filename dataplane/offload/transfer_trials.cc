// SPDX-License-Identifier: Apache-2.0
// What TransferDomain tries for lending.
#include <cerrno>

#include <rte_flow.h>
#include <rte_mtr.h>

#include "dataplane/offload/groups.h"
#include "dataplane/offload/rte_error.h"
#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {
namespace {

constexpr std::uint32_t kTrialPolicy = TransferDomain::kMostGroups - 1;
constexpr rte_flow_action kEnd{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr};

// The outcome of a trial, unless what it made cannot be taken away.
Status both(const Status& tried, const Status& undone) { return tried ? undone : tried; }

Status delete_policy(std::uint16_t proxy) {
  rte_mtr_error error{};
  const int rc = rte_mtr_meter_policy_delete(proxy, kTrialPolicy, &error);
  return rc == 0 ? Status{} : refused("rte_mtr_meter_policy_delete", proxy, error.message, rc);
}

}  // namespace

Status TransferDomain::try_hierarchy(const meter::TwoRate& limit) {
  rte_mtr_capabilities found{};
  rte_mtr_error error{};
  if (const int rc = rte_mtr_capabilities_get(proxy_, &found, &error); rc != 0)
    return refused("rte_mtr_capabilities_get", proxy_, error.message, rc);
  if (found.chaining_use_prev_mtr_color_supported == 0)
    return refused("meters", proxy_, "a meter does not go by the colour of the one before", ENOTSUP);
  if (auto added = add_policy(kDeliveryGroup); !added) return added;
  const auto id = take_meter_id();
  const MeterHandle shared{.id = id, .profile = 2 * id, .next_group = kDeliveryGroup};
  const auto made = add_profile(shared.profile, limit).and_then([&] { return add_meter(shared, true); });
  if (!made) {
    free_meters_.push_back(id);
    return made;
  }
  const rte_flow_action_meter meter{.mtr_id = id};
  const std::array<rte_flow_action, 2> on{rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_METER, .conf = &meter}, kEnd};
  auto tried = add_policy(kTrialPolicy, on.data(), on.data());
  if (tried) {
    tried = try_member(limit);
    tried = both(tried, delete_policy(proxy_));
  }
  return both(tried, destroy_meter(shared));
}

// A meter with the policy of the trial, carried by a rule.
Status TransferDomain::try_member(const meter::TwoRate& limit) {
  const auto id = take_meter_id();
  const MeterHandle member{.id = id, .profile = 2 * id, .next_group = kTrialPolicy};
  const auto made = add_profile(member.profile, limit).and_then([&] { return add_meter(member); });
  if (!made) {
    free_meters_.push_back(id);
    return made;
  }
  const auto flow = create({.group = kCanaryGroup, .match = {.port_id = proxy_}, .meter = member.id});
  const auto tried = flow ? destroy(*flow) : tl::unexpected(flow.error());
  return both(tried, destroy_meter(member));
}

Status TransferDomain::try_marking(std::uint32_t next_group) {
  constexpr std::uint32_t kDscpBits = 6;
  constexpr std::uint8_t kLowerEffort = 1;  // RFC 8622
  const rte_flow_action_jump jump{.group = next_group};
  rte_flow_action_modify_field mark{};
  mark.operation = RTE_FLOW_MODIFY_SET;
  mark.dst.field = RTE_FLOW_FIELD_IPV4_DSCP;
  mark.src.field = RTE_FLOW_FIELD_VALUE;
  mark.src.value[0] = kLowerEffort;
  mark.width = kDscpBits;
  const rte_flow_action on{.type = RTE_FLOW_ACTION_TYPE_JUMP, .conf = &jump};
  const std::array<rte_flow_action, 2> green{on, kEnd};
  const std::array<rte_flow_action, 3> yellow{rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, .conf = &mark},
                                              on, kEnd};
  if (auto added = add_policy(kTrialPolicy, green.data(), yellow.data()); !added) return added;
  return delete_policy(proxy_);
}

}  // namespace foreflow::offload
