// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>

#include "host/fabric/dpu_actuator.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::fabric {
namespace {

Limit limit(std::uint32_t vm, BytesPerSecond cir, BytesPerSecond pir) {
  return {.police = {.vm = VmId{vm}, .direction = Direction::kEgress, .cir = cir, .pir = pir}};
}

Target target(BytesPerSecond cir, BytesPerSecond pir = megabits(500)) {
  return {.device = "dpu0", .vms = {{.id = VmId{1}, .name = "web"}}, .limits = {limit(1, cir, pir)}};
}

TEST(Target, HoldsTheVmsAndLimitsOfItsDataplaneOnly) {
  auto fleet = small_fleet();
  fleet.vms[0].id = VmId{7};
  fleet.vms[1].id = VmId{8};
  fleet.vms[1].dataplane = "dpu1";
  const auto made = make_target(fleet, fleet.dataplanes[0], {limit(8, {}, {}), limit(7, {}, {})});
  ASSERT_EQ(made.vms.size(), 1u);
  EXPECT_EQ(made.vms[0].name, "web");
  ASSERT_EQ(made.limits.size(), 1u);
  EXPECT_EQ(made.limits[0].police.vm, VmId{7});
}

TEST(Target, ASmallChangeOfRatesIsNotWorthAPush) {
  EXPECT_FALSE(worth_a_push(target(megabits(100)), target(megabits(101))));
  EXPECT_TRUE(worth_a_push(target(megabits(100)), target(megabits(103))));
  EXPECT_TRUE(worth_a_push(target({}), target(megabits(1))));
}

TEST(Target, AChangedPolicyIsWorthAPushHoweverSmall) {
  auto wanted = target(megabits(100));
  wanted.limits[0].cap = megabits(501);
  EXPECT_TRUE(worth_a_push(target(megabits(100)), wanted));
}

TEST(Target, AVmThatMovesToAnotherPortIsWorthAPush) {
  auto wanted = target(megabits(100));
  wanted.vms[0].attachments.push_back({"p9", {}, {}});
  EXPECT_TRUE(worth_a_push(target(megabits(100)), wanted));
}

TEST(Target, ApplicationsBecomeTreatmentsOfTheirVm) {
  auto fleet = small_fleet();
  fleet.vms[0].id = VmId{7};
  fleet.vms[1].dataplane = "dpu1";
  fleet.vms[0].applications = {{Category::kVideo, 34, false}, {Category::kP2p, std::nullopt, true}};
  fleet.vms[1].applications = {{Category::kVideo, 34, false}};
  const auto intents = desired_state(make_target(fleet, fleet.dataplanes[0], {}), Generation{1}).intents;
  ASSERT_EQ(intents.size(), 3u);
  const auto treatment = [&](std::size_t at) { return std::get<wire::Treatment>(intents[at].what); };
  EXPECT_EQ(treatment(0), (wire::Treatment{.vm = VmId{7}, .match = {.category = Category::kVideo}, .dscp = 34}));
  EXPECT_EQ(treatment(1), (wire::Treatment{.vm = VmId{7}, .match = {.category = Category::kP2p}, .drop = true}));
  EXPECT_EQ(treatment(2).direction, Direction::kIngress);
  EXPECT_TRUE(treatment(2).drop);
  for (const auto& intent : intents) EXPECT_EQ(intent.demand, wire::Demand::kSoftware);
}

TEST(Target, QueuesAndIsolationAndCopiesBecomeTreatments) {
  auto fleet = small_fleet();
  fleet.vms[0].id = VmId{7};
  fleet.vms[1].dataplane = "dpu1";
  fleet.vms[0].applications = {{.category = Category::kVideo, .queue = 0},
                               {.category = Category::kP2p, .queue_group = 2, .mirror = wire::Mirror{"probe", 10}}};
  const auto treatments = make_target(fleet, fleet.dataplanes[0], {}).treatments;
  ASSERT_EQ(treatments.size(), 3u);
  EXPECT_EQ(treatments[0], (wire::Treatment{.vm = VmId{7}, .match = {.category = Category::kVideo}, .queue = 0}));
  for (const auto at : {1u, 2u}) {
    EXPECT_EQ(treatments[at].queue_group, 2);
    EXPECT_EQ(treatments[at].mirror, (wire::Mirror{"probe", 10}));
  }
  EXPECT_EQ(treatments[2].direction, Direction::kIngress);
}

TEST(Target, UplinksOfKnownCapacityGetThePolicysQueues) {
  auto fleet = small_fleet();
  fleet.queueing.emplace().queues[2].weight = 5;
  fleet.dataplanes[0].uplinks = {{"up", {megabits(1'000), kUnlimited}}, {"up2", {kUnlimited, kUnlimited}}};
  const auto target = make_target(fleet, fleet.dataplanes[0], {});
  EXPECT_EQ(target.uplinks[0].queueing, fleet.queueing);
  EXPECT_FALSE(target.uplinks[1].queueing);
}

TEST(Target, LongFlowsBypassByVmGroupAndCategory) {
  auto fleet = small_fleet();
  fleet.vms[0].id = VmId{7};
  fleet.vms[1].id = VmId{8};
  fleet.groups.push_back({.name = "g", .bypass = model::Bypass{.bytes = Bytes{1'000}}});
  fleet.vms[0].policy.group = fleet.vms[1].policy.group = "g";
  fleet.vms[1].policy.bypass = model::Bypass{.off = true};
  fleet.vms[1].applications = {
      {.category = Category::kFileTransfer, .bypass = model::Bypass{.packets = 5, .idle_seconds = 3}}};
  const auto target = make_target(fleet, fleet.dataplanes[0], {});
  ASSERT_EQ(target.bypasses.size(), 2u);
  EXPECT_EQ(target.bypasses[0], (wire::Bypass{VmId{7}, std::nullopt, 1'000}));
  EXPECT_EQ(target.bypasses[1], (wire::Bypass{VmId{8}, Category::kFileTransfer, 0, 3, 5}));
  const auto intents = desired_state(target, Generation{1}).intents;
  EXPECT_EQ(intents.back().id, bypass_intent(VmId{8}, Category::kFileTransfer));
  EXPECT_EQ(intents.back().demand, wire::Demand::kPreferHardware);
}

TEST(Target, RulesGoToTheDeviceWhereItCan) {
  auto fleet = small_fleet();
  fleet.vms[0].id = VmId{7};
  fleet.vms[0].rules = {{.number = 5,
                         .priority = 3,
                         .demand = wire::Demand::kRequireHardware,
                         .what = {.direction = Direction::kIngress, .match = {.ip_protocol = 17}, .drop = true}}};
  const auto target = make_target(fleet, fleet.dataplanes[0], {});
  ASSERT_EQ(target.rules.size(), 1u);
  const auto intent = desired_state(target, Generation{1}).intents.back();
  EXPECT_EQ(intent.id, rule_intent(VmId{7}, 5, Direction::kIngress));
  EXPECT_EQ(intent.demand, wire::Demand::kRequireHardware);
  EXPECT_EQ(intent.priority, 3u);
  EXPECT_EQ(std::get<wire::Treatment>(intent.what).vm, VmId{7});
  EXPECT_TRUE(worth_a_push(target, make_target(small_fleet(), fleet.dataplanes[0], {})));
}

TEST(Target, AChangedMarkIsWorthAPush) {
  auto marked = target(megabits(1));
  marked.treatments = {{.vm = VmId{1}, .match = {.category = Category::kVideo}, .dscp = 34}};
  auto otherwise = marked;
  otherwise.treatments[0].dscp = 26;
  EXPECT_TRUE(worth_a_push(target(megabits(1)), marked));
  EXPECT_TRUE(worth_a_push(marked, otherwise));
  EXPECT_FALSE(worth_a_push(marked, marked));
}

TEST(Target, EveryIntentOfAVmHasAnIdOfItsOwn) {
  std::set<IntentId> ids;
  for (const auto direction : kBothDirections) {
    for (std::size_t at = 0; at < kCategories; ++at)
      ids.insert(application_intent(VmId{1}, static_cast<Category>(at), direction));
    ids.insert(police_intent(VmId{1}, direction));
  }
  for (std::size_t at = 0; at < kCategories; ++at) ids.insert(bypass_intent(VmId{1}, static_cast<Category>(at)));
  ids.insert(bypass_intent(VmId{1}, std::nullopt));
  EXPECT_EQ(ids.size(), (kDirections + 1) * (kCategories + 1));
  EXPECT_LT(*ids.rbegin(), police_intent(VmId{2}, Direction::kEgress));
}

TEST(Target, IntentIdsDependOnVmAndDirectionAlone) {
  EXPECT_EQ(desired_state(target(megabits(1)), Generation{1}).intents[0].id,
            desired_state(target(megabits(9)), Generation{7}).intents[0].id);
  EXPECT_NE(police_intent(VmId{1}, Direction::kEgress), police_intent(VmId{1}, Direction::kIngress));
  EXPECT_NE(police_intent(VmId{1}, Direction::kIngress), police_intent(VmId{2}, Direction::kEgress));
}

// A link and a disk that can be away.
class DpuActuatorTest : public ::testing::Test {
 protected:
  DpuActuator actuator(std::map<std::string, Installed> known = {}) {
    return DpuActuator(
        [this](const std::string&, const wire::DesiredState& desired) -> Status {
          if (!connected_) return fail(ErrorCode::kNotFound, "away");
          sent_.push_back(desired);
          return {};
        },
        [this](const Installed& installed) -> Status {
          if (disk_full_) return fail(ErrorCode::kIo, "disk full");
          saved_.push_back(installed);
          return {};
        },
        std::move(known));
  }
  bool connected_ = true;
  bool disk_full_ = false;
  std::vector<wire::DesiredState> sent_;
  std::vector<Installed> saved_;
};

TEST_F(DpuActuatorTest, PushesANewGenerationForEachChangeAndNoneWithout) {
  auto dpu = actuator();
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  ASSERT_TRUE(dpu.apply(target(megabits(200))));
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[0].generation, Generation{1});
  EXPECT_EQ(sent_[1].generation, Generation{2});
  EXPECT_EQ(std::get<wire::Police>(sent_[1].intents.at(0).what).cir, megabits(200));
}

TEST_F(DpuActuatorTest, AnswersHelloWithThePresentState) {
  auto dpu = actuator();
  connected_ = false;
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  connected_ = true;
  ASSERT_TRUE(dpu.on_hello({.dataplane = "dpu0"}));
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].generation, Generation{1});
}

TEST_F(DpuActuatorTest, GoesOnFromTheKeptGenerationAfterARestart) {
  auto dpu = actuator({{"dpu0", {Generation{41}, target(megabits(100))}}});
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  EXPECT_TRUE(sent_.empty());
  ASSERT_TRUE(dpu.apply(target(megabits(300))));
  EXPECT_EQ(sent_.at(0).generation, Generation{42});
}

TEST_F(DpuActuatorTest, NeverReusesAGenerationThatTheDataplaneHasSeen) {
  auto dpu = actuator();
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  ASSERT_TRUE(dpu.on_hello({.dataplane = "dpu0", .applied = Generation{57}}));
  EXPECT_EQ(sent_.back().generation, Generation{58});
}

TEST_F(DpuActuatorTest, SendsNothingThatItCouldNotKeep) {
  auto dpu = actuator();
  disk_full_ = true;
  const auto applied = dpu.apply(target(megabits(100)));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::kIo);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(DpuActuatorTest, RefusesAPeakBelowTheCommittedRate) {
  auto dpu = actuator();
  const auto applied = dpu.apply(target(megabits(100), megabits(50)));
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().message.find("peak rate of 50.0 Mbit/s, below its committed 100 Mbit/s"), std::string::npos)
      << applied.error().message;
}

TEST_F(DpuActuatorTest, ReadsBackWhatTheDataplaneAnswered) {
  auto dpu = actuator();
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  const auto id = police_intent(VmId{1}, Direction::kEgress);
  dpu.on_applied("dpu0",
                 {Generation{1}, {{id, wire::Placement::kSoftware, "no meter left", megabits(99), megabits(490)}}});
  dpu.on_report("dpu0", {.intents = {{.id = id, .passed_bytes = 5, .dropped_packets = 2}}});
  const auto back = dpu.read_back("dpu0");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->applied, Generation{1});
  const auto& enforcement = back->enforcements.at(0);
  ASSERT_TRUE(enforcement.result);
  EXPECT_EQ(enforcement.result->reason, "no meter left");
  EXPECT_EQ(enforcement.result->achieved_cir, megabits(99));
  EXPECT_EQ(enforcement.stats.dropped_packets, 2u);
}

TEST_F(DpuActuatorTest, ReloadingSignaturesChangesTheirRevisionForGood) {
  auto dpu = actuator();
  EXPECT_EQ(dpu.reload_signatures("dpu0").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  ASSERT_TRUE(dpu.reload_signatures("dpu0"));
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[1].signature_revision, sent_[0].signature_revision + 1);
  EXPECT_GT(sent_[1].generation, sent_[0].generation);
  ASSERT_TRUE(dpu.apply(target(megabits(200))));
  EXPECT_EQ(sent_[2].signature_revision, sent_[1].signature_revision);
  EXPECT_EQ(saved_.back().signature_revision, sent_[2].signature_revision);
  disk_full_ = true;
  EXPECT_FALSE(dpu.reload_signatures("dpu0"));
  EXPECT_EQ(sent_.size(), 3u);
}

TEST_F(DpuActuatorTest, RevertGoesBackAsANewGeneration) {
  auto dpu = actuator();
  ASSERT_TRUE(dpu.apply(target(megabits(100))));
  EXPECT_EQ(dpu.revert("dpu0").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(dpu.apply(target(megabits(200))));
  ASSERT_TRUE(dpu.revert("dpu0"));
  EXPECT_EQ(sent_.back().generation, Generation{3});
  EXPECT_EQ(std::get<wire::Police>(sent_.back().intents.at(0).what).cir, megabits(100));
}

}  // namespace
}  // namespace foreflow::fabric
