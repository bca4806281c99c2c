// SPDX-License-Identifier: Apache-2.0
// The emulated eSwitch as a caller of rte_flow and rte_mtr meets it, for tests of what it refuses.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include <rte_flow.h>
#include <rte_mtr.h>

#include "tests/contract/offload/device.h"

namespace foreflow::offload::test {

inline constexpr std::uint32_t kProfile = 1;
inline constexpr std::uint32_t kEnding = 1;  // policy: green and yellow go on with the rule's other actions
inline constexpr std::uint32_t kJumping = 2;
inline constexpr std::uint32_t kMeter = 1;         // with the ending policy
inline constexpr std::uint32_t kJumpingMeter = 2;  // with the jumping policy
inline constexpr rte_flow_action kEnd{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr};
inline constexpr rte_flow_action kDrop{.type = RTE_FLOW_ACTION_TYPE_DROP, .conf = nullptr};
inline constexpr rte_flow_action kCount{.type = RTE_FLOW_ACTION_TYPE_COUNT, .conf = nullptr};

// Profile, policies and meters are there; rules are for one port unless match_port_ says otherwise.
class RawRulesTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    ASSERT_EQ(add_profile(kProfile), 0);
    ASSERT_EQ(add_policy(kEnding, {kEnd}), 0);
    ASSERT_EQ(add_policy(kJumping, {jump(&to_two_), kEnd}), 0);
    ASSERT_EQ(create_meter(kMeter, kProfile, kEnding), 0);
    ASSERT_EQ(create_meter(kJumpingMeter, kProfile, kJumping), 0);
  }

  static rte_flow_action jump(const rte_flow_action_jump* where) {
    return {.type = RTE_FLOW_ACTION_TYPE_JUMP, .conf = where};
  }
  static rte_flow_action meter(const rte_flow_action_meter* which) {
    return {.type = RTE_FLOW_ACTION_TYPE_METER, .conf = which};
  }

  int add_profile(std::uint32_t id, std::uint64_t cir = 1'000'000) {
    rte_mtr_meter_profile profile{};
    profile.alg = RTE_MTR_TRTCM_RFC2698;
    profile.trtcm_rfc2698 = {.cir = cir, .pir = 2'000'000, .cbs = 16'000, .pbs = 16'000};
    return rte_mtr_meter_profile_add(kUplink, id, &profile, &meter_error_);
  }

  int add_policy(std::uint32_t id, const std::vector<rte_flow_action>& pass, const rte_flow_action& red = kDrop) {
    const std::array<rte_flow_action, 2> reds{red, kEnd};
    rte_mtr_meter_policy_params policy{};
    policy.actions[RTE_COLOR_GREEN] = policy.actions[RTE_COLOR_YELLOW] = pass.data();
    policy.actions[RTE_COLOR_RED] = reds.data();
    return rte_mtr_meter_policy_add(kUplink, id, &policy, &meter_error_);
  }

  int create_meter(std::uint32_t id, std::uint32_t profile, std::uint32_t policy) {
    rte_mtr_params params{};
    params.meter_profile_id = profile;
    params.meter_policy_id = policy;
    params.meter_enable = 1;
    params.stats_mask = RTE_MTR_STATS_N_PKTS_DROPPED | RTE_MTR_STATS_N_BYTES_DROPPED;
    return rte_mtr_create(kUplink, id, &params, 1, &meter_error_);
  }

  rte_flow* create(const std::vector<rte_flow_action>& actions) {
    flow_error_ = {};
    std::vector<rte_flow_item> items;
    if (match_port_) {
      items.push_back({.type = RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT, .spec = &port_, .last = nullptr, .mask = nullptr});
    }
    items.push_back({.type = RTE_FLOW_ITEM_TYPE_END, .spec = nullptr, .last = nullptr, .mask = nullptr});
    return rte_flow_create(through_, &attr_, items.data(), actions.data(), &flow_error_);
  }

  rte_flow_attr attr_{.group = 1, .priority = 0, .ingress = 0, .egress = 0, .transfer = 1, .reserved = 0};
  rte_flow_item_ethdev port_{.port_id = kWebPort};
  std::uint16_t through_ = kUplink;
  bool match_port_ = true;
  rte_flow_action_meter a_meter_{.mtr_id = kMeter};
  rte_flow_action_meter jumping_meter_{.mtr_id = kJumpingMeter};
  rte_flow_action_jump to_two_{.group = 2};
  rte_flow_error flow_error_{};
  rte_mtr_error meter_error_{};
};

}  // namespace foreflow::offload::test
