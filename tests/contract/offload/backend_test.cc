// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend on the emulated eSwitch: what its rules and meters do to packets.
#include <cmath>

#include <gmock/gmock.h>

#include "dataplane/offload/rate_grid.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

constexpr BytesPerSecond kMegabyte{1'000'000};
constexpr std::uint64_t kMillisecond = 1'000'000;

class RteFlowBackendTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    ASSERT_TRUE(backend_.probe(kAllPorts).hardware_meters);
  }

  std::vector<wire::IntentResult> install(const std::vector<ResolvedIntent>& intents) {
    auto results = backend_.apply({.set = intents, .clear = {}});
    for (const auto& result : results) EXPECT_EQ(result.placement, wire::Placement::kHardware) << result.reason;
    return results;
  }

  wire::IntentStats stats(std::uint64_t id) {
    for (const auto& entry : backend_.read_stats()) {
      if (entry.id == IntentId{id}) return entry;
    }
    ADD_FAILURE() << "no statistics of intent " << id;
    return {};
  }

  RteFlowBackend backend_;
};

TEST_F(RteFlowBackendTest, ProbingLeavesNothingButThePolicy) {
  const auto usage = emulated::usage();
  EXPECT_EQ(usage.rules, 0u);
  EXPECT_EQ(usage.meters, 0u);
  EXPECT_EQ(usage.profiles, 0u);
}

TEST_F(RteFlowBackendTest, LendsByChangingPeaksAndNamesWhatElseTheDeviceCouldDo) {
  const auto found = backend_.probe(kAllPorts);
  EXPECT_EQ(found.lending, wire::Lending::kHardware);
  EXPECT_EQ(found.backend, "rte_flow on net_ring");
  install({egress_limit(1, kWeb, kMegabyte)});
  EXPECT_THAT(*backend_.explain(IntentId{1}), HasSubstr("peaks re-rated in use: yes; meters chained by colour: no"));
  emulated::reset({.colour_aware = true});
  RteFlowBackend chaining;
  chaining.probe(kAllPorts);
  EXPECT_EQ(emulated::usage().meters + emulated::usage().rules + emulated::usage().profiles, 0u);
  ASSERT_EQ(chaining.apply({.set = {egress_limit(1, kWeb, kMegabyte)}, .clear = {}})[0].reason, "");
  EXPECT_THAT(*chaining.explain(IntentId{1}), HasSubstr("meters chained by colour: yes; yellow in a lower class: no"));
}

TEST_F(RteFlowBackendTest, ADeviceWhoseMetersFollowTooSlowlyDoesNotLend) {
  use({.update_delay_us = 1'500});
  RteFlowBackend slow;
  const auto found = slow.probe(kAllPorts);
  EXPECT_TRUE(found.hardware_meters);
  EXPECT_EQ(found.lending, wire::Lending::kNone);
  ASSERT_EQ(slow.apply({.set = {egress_limit(1, kWeb, kMegabyte)}, .clear = {}})[0].reason, "");
  EXPECT_THAT(*slow.explain(IntentId{1}), HasSubstr("peaks re-rated in use: no (a new rate takes"));
}

TEST_F(RteFlowBackendTest, AMeterThatServesOneRuleOnlyIsNoMeter) {
  use({});
  emulated::inject({.call = emulated::Call::kFlowCreate,
                    .nth = 2,
                    .error = EBUSY,
                    .message = "Meter is not shared and in use by another flow"});
  RteFlowBackend backend;
  EXPECT_FALSE(backend.probe({kWebPort}).hardware_meters);
  const auto answer = backend.apply({.set = {egress_limit(1, kWeb, kMegabyte)}, .clear = {}});
  EXPECT_THAT(answer[0].reason, HasSubstr("Meter is not shared"));
  EXPECT_EQ(emulated::usage().meters + emulated::usage().rules, 0u);
}

TEST_F(RteFlowBackendTest, NamesWhetherFlowsPastTheCpuShareTheMeter) {
  install({egress_limit(1, kWeb, kMegabyte)});
  EXPECT_THAT(*backend_.explain(IntentId{1}), HasSubstr("flows past the CPU: behind this meter"));
  use({});
  RteFlowBackend without;
  // The canary's two rules for meters, then the first of a flow.
  emulated::inject(
      {.call = emulated::Call::kFlowCreate, .nth = 3, .error = ENOTSUP, .message = "age action not supported"});
  ASSERT_TRUE(without.probe({kWebPort}).hardware_meters);
  ASSERT_EQ(without.apply({.set = {egress_limit(1, kWeb, kMegabyte)}, .clear = {}})[0].reason, "");
  EXPECT_THAT(*without.explain(IntentId{1}), HasSubstr("flows past the CPU: none from port 1 (rte_flow_create"));
}

TEST_F(RteFlowBackendTest, LimitsWhatAVmSendsToTheAchievedRate) {
  const auto results = install({egress_limit(1, kWeb, kMegabyte)});
  const Frame frame{.source = kWeb, .destination = kOutside};
  stream(kWebPort, frame, 100, kMillisecond / 4);  // spends the burst
  const auto before = stats(1);
  constexpr std::uint32_t kFrames = 40'000;  // 4 MB/s offered for 10 s
  const auto passed = stream(kWebPort, frame, kFrames, kMillisecond / 4);
  EXPECT_NEAR(passed, static_cast<double>(results[0].achieved_cir.value) * 10 / 1'000, 1);
  EXPECT_NEAR(static_cast<double>(results[0].achieved_cir.value), 1e6, 1e6 * .0039);
  const auto after = stats(1);
  EXPECT_EQ(after.passed_packets - before.passed_packets, passed);
  EXPECT_EQ(after.dropped_packets - before.dropped_packets, kFrames - passed);
}

TEST_F(RteFlowBackendTest, CountsEveryByteOnce) {
  install({egress_limit(1, kWeb, kMegabyte)});
  const auto passed = arrive(kWebPort, {.source = kWeb, .destination = kOutside, .size = 1'500}, 20);
  EXPECT_EQ(passed, 10u) << "a burst of 16,000 bytes holds ten whole frames of 1,500";
  const auto total = stats(1);
  EXPECT_EQ(total.passed_packets, 10u);
  EXPECT_EQ(total.passed_bytes, 15'000u);
  EXPECT_EQ(total.dropped_packets, 10u);
  EXPECT_EQ(total.dropped_bytes, 15'000u);
}

TEST_F(RteFlowBackendTest, MetersWhatAVmReceivesFromTheUplinkAndFromLocalVmsTogether) {
  install({ingress_limit(1, kWeb, kMegabyte)});
  const auto from_uplink = arrive(kUplink, {.source = kOutside, .destination = kWeb}, 10);
  const auto from_local = arrive(kSharedPort, {.source = kRed, .destination = kWeb}, 10);
  EXPECT_EQ(from_uplink, 10u);
  EXPECT_EQ(from_local, 6u) << "one meter, one burst of 16,000 bytes";
  EXPECT_EQ(stats(1).passed_packets, 16u);
  EXPECT_EQ(stats(1).dropped_packets, 4u);
}

TEST_F(RteFlowBackendTest, TrafficBetweenLocalVmsPassesBothMeters) {
  install({egress_limit(1, kRed, kMegabyte), ingress_limit(2, kWeb, kMegabyte)});
  EXPECT_EQ(arrive(kUplink, {.source = kOutside, .destination = kWeb}, 6), 6u);
  EXPECT_EQ(arrive(kSharedPort, {.source = kRed, .destination = kWeb}, 20), 10u);
  EXPECT_EQ(stats(1).passed_packets, 16u) << "the sender's meter lets its burst pass";
  EXPECT_EQ(stats(1).dropped_packets, 4u);
  EXPECT_EQ(stats(2).passed_packets, 16u) << "the receiver's had 10 left";
  EXPECT_EQ(stats(2).dropped_packets, 6u);
}

TEST_F(RteFlowBackendTest, TellsTwoVmsOnASharedPortApart) {
  install({egress_limit(1, kRed, kMegabyte)});
  EXPECT_EQ(arrive(kSharedPort, {.source = kRed, .destination = kOutside}, 40), 16u);
  EXPECT_EQ(arrive(kSharedPort, {.source = kBlue, .destination = kOutside}, 40), 40u);
  install({egress_limit(2, kBlue, kMegabyte)});
  EXPECT_EQ(arrive(kSharedPort, {.source = kBlue, .destination = kOutside}, 40), 16u);
  EXPECT_EQ(stats(1).dropped_packets, 24u);
  EXPECT_EQ(stats(2).dropped_packets, 24u);
}

TEST_F(RteFlowBackendTest, TellsTheSameMacInTwoSegmentsApart) {
  auto tagged = egress_limit(1, kRed, kMegabyte);
  tagged.attachments[0].segment = Segment{7};
  auto untagged = egress_limit(2, kRed, kMegabyte);
  install({tagged, untagged});
  arrive(kSharedPort, {.source = kRed, .destination = kOutside, .vlan = 7}, 3);
  arrive(kSharedPort, {.source = kRed, .destination = kOutside}, 4);
  EXPECT_EQ(stats(1).passed_packets, 3u);
  EXPECT_EQ(stats(2).passed_packets, 4u);
}

TEST_F(RteFlowBackendTest, APriorityTagDoesNotEvadeTheMeter) {
  install({egress_limit(1, kRed, kMegabyte)});
  EXPECT_EQ(arrive(kSharedPort, {.source = kRed, .destination = kOutside, .vlan = 0x6000}, 40), 16u);
}

TEST_F(RteFlowBackendTest, PacketsOfNobodyReachTheCpuUnmetered) {
  install({egress_limit(1, kWeb, kMegabyte), ingress_limit(2, kWeb, kMegabyte)});
  EXPECT_EQ(arrive(kWebPort, {.source = kOutside, .destination = kOutside}, 40), 40u);
  EXPECT_EQ(arrive(kUnusedPort, {.source = kWeb, .destination = kWeb}, 40), 40u);
}

TEST_F(RteFlowBackendTest, ARateChangeKeepsTheRulesAndDoesNotRefill) {
  auto limit = egress_limit(1, kWeb, kMegabyte);
  install({limit});
  const Frame frame{.source = kWeb, .destination = kOutside};
  ASSERT_EQ(arrive(kWebPort, frame, 40), 16u);
  const auto rules = emulated::usage().rules;
  // A removed or recreated rule would consume one of these.
  emulated::inject({.call = emulated::Call::kFlowCreate, .nth = 1});
  emulated::inject({.call = emulated::Call::kFlowDestroy, .nth = 1});
  set_rate(limit, BytesPerSecond{2'000'000});
  install({limit});
  EXPECT_EQ(emulated::usage().rules, rules);
  EXPECT_EQ(emulated::usage().profiles, 1u) << "the old profile is gone";
  EXPECT_EQ(arrive(kWebPort, frame), 0u) << "the bucket stays empty";
  advance(4 * kMillisecond + kMillisecond / 10);
  EXPECT_EQ(arrive(kWebPort, frame, 40), 8u) << "4.1 ms at 2 MB/s, less the grid's error";
  EXPECT_EQ(stats(1).passed_packets, 24u) << "totals go on";
}

TEST_F(RteFlowBackendTest, AMovedVmKeepsItsMeterAndItsTotals) {
  auto limit = egress_limit(1, kWeb, kMegabyte);
  install({limit});
  ASSERT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40), 16u);
  limit.attachments[0].port_id = kUnusedPort;
  install({limit});
  EXPECT_EQ(arrive(kUnusedPort, {.source = kWeb, .destination = kOutside}, 4), 0u);
  EXPECT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 4), 4u) << "its old place is free";
  EXPECT_EQ(stats(1).passed_packets, 16u);
  EXPECT_EQ(stats(1).dropped_packets, 28u);
}

TEST_F(RteFlowBackendTest, AnotherIntentTakesThePlaceOfOneForTheSameVm) {
  install({egress_limit(1, kWeb, kMegabyte)});
  install({egress_limit(2, kWeb, kMegabyte)});
  backend_.apply({.set = {}, .clear = {IntentId{1}}});
  EXPECT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40), 16u);
  EXPECT_EQ(stats(2).passed_packets, 16u);
  EXPECT_EQ(backend_.read_stats().size(), 1u);
}

TEST_F(RteFlowBackendTest, ClearingLeavesNoRulesAndNoMeters) {
  install({egress_limit(1, kWeb, kMegabyte), ingress_limit(2, kWeb, kMegabyte), ingress_limit(3, kRed, kMegabyte)});
  EXPECT_GT(emulated::usage().rules, 0u);
  backend_.apply({.set = {}, .clear = {IntentId{1}, IntentId{2}, IntentId{3}}});
  const auto usage = emulated::usage();
  EXPECT_EQ(usage.rules, 0u);
  EXPECT_EQ(usage.meters, 0u);
  EXPECT_EQ(usage.profiles, 0u);
  EXPECT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40), 40u);
}

TEST_F(RteFlowBackendTest, RemovesWhatAFormerProcessLeft) {
  install({egress_limit(1, kWeb, kMegabyte), ingress_limit(2, kWeb, kMegabyte)});
  RteFlowBackend next;
  ASSERT_EQ(emulated::usage().meters, 2u);
  const auto removed = next.reconcile(kAllPorts);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 2u);
  EXPECT_TRUE(emulated::usage().empty());
  EXPECT_TRUE(next.probe(kAllPorts).hardware_meters);
}

TEST_F(RteFlowBackendTest, ReconcilingAgainLeavesItsOwnRulesAlone) {
  install({egress_limit(1, kWeb, kMegabyte)});
  ASSERT_EQ(backend_.reconcile(kAllPorts), 0u);
  backend_.probe(kAllPorts);
  EXPECT_EQ(arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40), 16u);
}

TEST_F(RteFlowBackendTest, ExplainsRulesMeterAndRates) {
  install({egress_limit(1, kWeb, BytesPerSecond{1'234'567})});
  const auto text = backend_.explain(IntentId{1});
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("egress meter 1"), std::string::npos) << *text;
  EXPECT_NE(text->find("source 52:54:00:00:00:01"), std::string::npos) << *text;
  EXPECT_NE(text->find("METER"), std::string::npos) << *text;
  EXPECT_FALSE(backend_.explain(IntentId{2}));
}

TEST(RateGrid, IsNeverFurtherThanItsStepFromWhatWasAsked) {
  for (std::uint64_t rate = 1'000; rate < kLargestMeterRate.value; rate = rate * 21 / 20 + 7) {
    const auto achieved = nearest_on_grid(BytesPerSecond{rate}).value;
    EXPECT_LE(std::abs(static_cast<double>(achieved) - static_cast<double>(rate)),
              .0040 * static_cast<double>(rate) + 1)
        << rate;
  }
  EXPECT_EQ(nearest_on_grid(kUnlimited), kLargestMeterRate);
  EXPECT_EQ(nearest_on_grid(BytesPerSecond{125'000'000}).value, 125'000'000u) << "1 Gbit/s is on the grid";
}

}  // namespace
}  // namespace foreflow::offload
