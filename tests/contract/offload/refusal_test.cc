// SPDX-License-Identifier: Apache-2.0
// What the emulated eSwitch refuses beside the table of refusal_table_test.cc.
#include <array>
#include <cerrno>
#include <cstring>

#include <gmock/gmock.h>
#include <rte_errno.h>
#include <rte_flow.h>
#include <rte_mtr.h>

#include "tests/contract/offload/raw_rules.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

class RefusalTest : public RawRulesTest {
 protected:
  void expect_refused(const std::vector<rte_flow_action>& actions, int error, const char* message) {
    EXPECT_EQ(create(actions), nullptr);
    EXPECT_EQ(rte_errno, error) << std::strerror(rte_errno);
    ASSERT_NE(flow_error_.message, nullptr);
    EXPECT_THAT(flow_error_.message, HasSubstr(message));
  }
};

TEST_F(RefusalTest, TakesARuleThatIsRight) {
  EXPECT_NE(create({kCount, meter(&a_meter_), jump(&to_two_), kEnd}), nullptr) << flow_error_.message;
}

TEST_F(RefusalTest, MeterWithSharedAge) {
  const rte_flow_action shared_age{.type = RTE_FLOW_ACTION_TYPE_INDIRECT, .conf = nullptr};
  expect_refused({shared_age, meter(&a_meter_), jump(&to_two_), kEnd}, ENOTSUP,
                 "unsupported combining AGE, METER, CT ASO actions in a single rule");
}

TEST_F(RefusalTest, OwnAgeWithCountAndMeterIsTaken) {
  const rte_flow_action_age age{.timeout = 10, .reserved = 0, .context = nullptr};
  const rte_flow_action own_age{.type = RTE_FLOW_ACTION_TYPE_AGE, .conf = &age};
  EXPECT_NE(create({kCount, own_age, meter(&a_meter_), jump(&to_two_), kEnd}), nullptr) << flow_error_.message;
}

TEST_F(RefusalTest, TwoMetersInARule) {
  expect_refused({meter(&a_meter_), meter(&jumping_meter_), kEnd}, ENOTSUP, "meter chaining not support");
}

TEST_F(RefusalTest, MetersAreChainedThroughThePolicy) {
  ASSERT_EQ(add_policy(3, {meter(&jumping_meter_), kEnd}), 0);
  ASSERT_EQ(create_meter(3, kProfile, 3), 0);
  const rte_flow_action_meter chained{.mtr_id = 3};
  attr_.group = 1;
  ASSERT_NE(create({kCount, meter(&chained), kEnd}), nullptr) << flow_error_.message;
  attr_.group = 0;
  const rte_flow_action_jump to_one{.group = 1};
  ASSERT_NE(create({jump(&to_one), kEnd}), nullptr) << flow_error_.message;
  EXPECT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40), 16u);
}

TEST_F(RefusalTest, JumpBeforeMeter) {
  expect_refused({jump(&to_two_), meter(&a_meter_), kEnd}, ENOTSUP, "meter with jump not support");
}

TEST_F(RefusalTest, AMeterWhosePolicyJumpsIsTheLastAction) {
  expect_refused({meter(&jumping_meter_), jump(&to_two_), kEnd}, ENOTSUP, "must be the last action");
}

TEST_F(RefusalTest, DropCountingMeterOnARuleForAllPorts) {
  match_port_ = false;
  expect_refused({meter(&a_meter_), jump(&to_two_), kEnd}, EINVAL, "not supported when matching all ports");
}

TEST_F(RefusalTest, RedThatIsNotDropped) { EXPECT_EQ(add_policy(9, {kEnd}, kEnd), -ENOTSUP); }

TEST_F(RefusalTest, WhatIsInUseIsNotDeleted) {
  EXPECT_EQ(rte_mtr_meter_profile_delete(kUplink, kProfile, &meter_error_), -EBUSY);
  EXPECT_EQ(rte_mtr_meter_policy_delete(kUplink, kJumping, &meter_error_), -EBUSY);
  auto* flow = create({meter(&a_meter_), jump(&to_two_), kEnd});
  ASSERT_NE(flow, nullptr);
  EXPECT_EQ(rte_mtr_destroy(kUplink, kMeter, &meter_error_), -EBUSY);
  EXPECT_STREQ(meter_error_.message, "Meter object is being used.");
  ASSERT_EQ(rte_flow_destroy(kUplink, flow, &flow_error_), 0);
  EXPECT_EQ(rte_mtr_destroy(kUplink, kMeter, &meter_error_), 0);
}

TEST_F(RefusalTest, MissingDuplicateAndImpossibleIds) {
  EXPECT_EQ(create_meter(9, 77, kEnding), -ENOENT);
  EXPECT_EQ(create_meter(9, kProfile, 77), -ENOENT);
  EXPECT_EQ(rte_mtr_meter_profile_delete(kUplink, 77, &meter_error_), -ENOENT);
  EXPECT_EQ(rte_mtr_destroy(kUplink, 77, &meter_error_), -ENOENT);
  EXPECT_EQ(add_profile(kProfile), -EEXIST);
  EXPECT_EQ(add_policy(kEnding, {kEnd}), -EEXIST);
  EXPECT_EQ(create_meter(kMeter, kProfile, kEnding), -EEXIST);
  EXPECT_EQ(add_profile(UINT32_MAX), -ENOTSUP);
  EXPECT_EQ(create_meter(UINT32_MAX, kProfile, kEnding), -ENOTSUP);
  EXPECT_EQ(add_profile(9, 3'000'000), -EINVAL) << "committed above peak";
}

TEST_F(RefusalTest, ModifyFieldAndSharedAgeInGroupZero) {
  attr_.group = 0;
  const rte_flow_action modify{.type = RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, .conf = nullptr};
  expect_refused({modify, jump(&to_two_), kEnd}, ENOTSUP, "not supported for group 0");
  const rte_flow_action shared_age{.type = RTE_FLOW_ACTION_TYPE_INDIRECT, .conf = nullptr};
  expect_refused({shared_age, jump(&to_two_), kEnd}, ENOTSUP, "Shared ASO age action is not supported for group 0");
}

TEST_F(RefusalTest, MetadataWhereItIsNotEnabled) {
  rte_flow_action_modify_field modify{};
  modify.dst.field = RTE_FLOW_FIELD_META;
  modify.src.field = RTE_FLOW_FIELD_VALUE;
  modify.width = 8;
  const rte_flow_action action{.type = RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, .conf = &modify};
  EXPECT_NE(create({action, jump(&to_two_), kEnd}), nullptr) << flow_error_.message;
  use({.metadata = false});
  expect_refused({action, jump(&to_two_), kEnd}, ENOTSUP, "extended metadata feature isn't enabled");
}

TEST_F(RefusalTest, SamplesThatAreNotMirrors) {
  const rte_flow_action_ethdev probe{.port_id = kUnusedPort};
  const std::array<rte_flow_action, 2> to_probe{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, .conf = &probe}, kEnd};
  rte_flow_action_sample sample{.ratio = 2, .actions = to_probe.data()};
  const rte_flow_action action{.type = RTE_FLOW_ACTION_TYPE_SAMPLE, .conf = &sample};
  expect_refused({action, jump(&to_two_), kEnd}, ENOTSUP, "doesn't support any optional action for sampling");
  sample.ratio = 1;
  expect_refused({action, meter(&a_meter_), jump(&to_two_), kEnd}, ENOTSUP,
                 "sample before ASO action is not supported");
  sample.actions = &kEnd;
  expect_refused({action, jump(&to_two_), kEnd}, EINVAL, "must has a dest port");
  sample.actions = to_probe.data();
  EXPECT_NE(create({action, jump(&to_two_), kEnd}), nullptr) << flow_error_.message;
}

TEST_F(RefusalTest, AttributesPrioritiesAndGroupsOutOfRange) {
  attr_.priority = 21'844;
  expect_refused({kDrop, kEnd}, ENOTSUP, "priority out of range");
  attr_.priority = 21'843;
  EXPECT_NE(create({kDrop, kEnd}), nullptr);
  attr_.ingress = 1;
  expect_refused({kDrop, kEnd}, EINVAL, "exactly one of ingress, egress or transfer");
  attr_.ingress = 0;
  attr_.group = 2;
  expect_refused({jump(&to_two_), kEnd}, EINVAL, "other than the current flow group");
}

TEST_F(RefusalTest, QueueIsNoActionOfTheEswitch) {
  const rte_flow_action_queue queue{.index = 0};
  expect_refused({{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue}, kEnd}, ENOTSUP, "unsupported action QUEUE");
}

TEST_F(RefusalTest, RulesWithoutFateOrWithTwo) {
  expect_refused({kCount, kEnd}, EINVAL, "no fate action");
  expect_refused({meter(&a_meter_), kEnd}, EINVAL, "no fate action");
  expect_refused({kDrop, jump(&to_two_), kEnd}, EINVAL, "2 fate actions");
}

TEST_F(RefusalTest, ForeignHandlesAndPorts) {
  auto* flow = create({kDrop, kEnd});
  ASSERT_NE(flow, nullptr);
  EXPECT_EQ(rte_flow_destroy(kUplink, flow, &flow_error_), 0);
  EXPECT_EQ(rte_flow_destroy(kUplink, flow, &flow_error_), -EINVAL) << "destroyed twice";
  through_ = kWebPort;
  expect_refused({kDrop, kEnd}, ENOTSUP, "transfer proxy port");
  through_ = kUplink;
  port_.port_id = 29;
  expect_refused({kDrop, kEnd}, ENODEV, "E-Switch info");
}

TEST_F(RefusalTest, TheSameMatchAndPriorityTwice) {
  ASSERT_NE(create({kDrop, kEnd}), nullptr);
  expect_refused({kDrop, kEnd}, EEXIST, "exists");
  attr_.priority = 1;
  EXPECT_NE(create({kDrop, kEnd}), nullptr);
}

TEST_F(RefusalTest, CountersOfARuleWithoutCount) {
  auto* flow = create({kDrop, kEnd});
  ASSERT_NE(flow, nullptr);
  rte_flow_query_count count{};
  EXPECT_EQ(rte_flow_query(kUplink, flow, &kCount, &count, &flow_error_), -EINVAL);
  EXPECT_STREQ(flow_error_.message, "flow does not have counter");
}

TEST_F(RefusalTest, FlushTakesAllRulesAndLeavesMeters) {
  ASSERT_NE(create({kDrop, kEnd}), nullptr);
  EXPECT_EQ(rte_flow_flush(kUplink, &flow_error_), 0);
  EXPECT_EQ(emulated::usage().rules, 0u);
  EXPECT_EQ(emulated::usage().meters, 2u);
}

}  // namespace
}  // namespace foreflow::offload
