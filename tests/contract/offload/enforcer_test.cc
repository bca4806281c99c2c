// SPDX-License-Identifier: Apache-2.0
// Enforcer with the rte_flow backend on the emulated eSwitch: where intents end up when the device refuses.
#include "dataplane/offload/enforcer.h"

#include <gmock/gmock.h>

#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using emulated::Call;
using ::testing::HasSubstr;
using wire::Placement;

constexpr BytesPerSecond kMegabyte{1'000'000};
const Frame kFromWeb{.source = kWeb, .destination = kOutside};

class EnforcerTest : public DeviceTest {
 protected:
  // Once without a change of placement, so that software_limits() are as the pipeline sees them.
  std::vector<wire::IntentResult> enforce(const std::vector<ResolvedIntent>& intents) {
    auto results = enforcer_.prepare(set_of(intents));
    enforcer_.retire();
    return results;
  }
  void probe() { capabilities_ = enforcer_.probe(kAllPorts); }

  Enforcer enforcer_{std::make_unique<RteFlowBackend>()};
  wire::Capabilities capabilities_;
};

ResolvedIntent requiring(ResolvedIntent intent, wire::Demand demand) {
  intent.intent.demand = demand;
  return intent;
}

TEST_F(EnforcerTest, PrefersTheDevice) {
  probe();
  EXPECT_TRUE(capabilities_.hardware_meters);
  const auto results = enforce({egress_limit(1, kWeb, kMegabyte)});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].placement, Placement::kHardware);
  EXPECT_EQ(results[0].reason, "");
  EXPECT_TRUE(enforcer_.software_limits().empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
}

TEST_F(EnforcerTest, ADeviceThatRefusesEverythingLeavesItToSoftware) {
  use({.profile = emulated::Profile::kNone});
  probe();
  EXPECT_FALSE(capabilities_.hardware_meters);
  EXPECT_EQ(capabilities_.lending, wire::Lending::kSoftware);
  const auto results = enforce({egress_limit(1, kWeb, kMegabyte)});
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_THAT(results[0].reason, HasSubstr("no port of this dataplane has hardware meters"));
  ASSERT_EQ(enforcer_.software_limits().size(), 1u);
  EXPECT_EQ(enforcer_.software_limits()[0].limit.cir, kMegabyte);
  EXPECT_EQ(results[0].achieved_cir, kMegabyte) << "software has no grid";
}

TEST_F(EnforcerTest, ValidationThatLiesDoesNotDeceiveTheCanary) {
  use({.validate_lies = true, .failures = {{.call = Call::kFlowCreate, .nth = 1, .error = EEXIST}}});
  Enforcer enforcer(std::make_unique<RteFlowBackend>());
  EXPECT_FALSE(enforcer.probe({kWebPort}).hardware_meters);
  EXPECT_EQ(emulated::usage().meters, 0u) << "a canary that dies leaves nothing";
}

TEST_F(EnforcerTest, FallsBackWithTheDriversReason) {
  probe();
  emulated::inject({.call = Call::kMeterCreate, .nth = 1, .error = ENOMEM});
  const auto results = enforce({egress_limit(1, kWeb, kMegabyte)});
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_THAT(results[0].reason, HasSubstr("rte_mtr_create on port 0: injected failure (ENOMEM)"));
  EXPECT_EQ(enforcer_.software_limits().size(), 1u);
}

TEST_F(EnforcerTest, WhatRequiresHardwareIsRefusedRatherThanMovedToSoftware) {
  probe();
  emulated::inject({.call = Call::kFlowCreate, .nth = 1});
  const auto results = enforce({requiring(egress_limit(1, kWeb, kMegabyte), wire::Demand::kRequireHardware)});
  EXPECT_EQ(results[0].placement, Placement::kRefused);
  EXPECT_THAT(results[0].reason, HasSubstr("rte_flow_create"));
  EXPECT_TRUE(enforcer_.software_limits().empty());
}

TEST_F(EnforcerTest, AFailureHalfWayLeavesNothingBehind) {
  probe();
  const auto intent = ingress_limit(1, kRed, kMegabyte);
  enforce({intent});
  const auto rules = emulated::usage().rules;
  enforce({});
  ASSERT_GT(rules, 3u);
  for (std::uint64_t nth = 1; nth <= rules; ++nth) {
    emulated::inject({.call = Call::kFlowCreate, .nth = nth});
    const auto results = enforce({intent});
    EXPECT_EQ(results[0].placement, Placement::kSoftware) << "call " << nth;
    const auto usage = emulated::usage();
    EXPECT_EQ(usage.rules + usage.meters + usage.profiles, 0u) << "call " << nth;
  }
}

TEST_F(EnforcerTest, TriesAgainWithTheNextPrepare) {
  probe();
  emulated::inject({.call = Call::kProfileAdd, .nth = 1});
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  EXPECT_EQ(enforce({intent})[0].placement, Placement::kSoftware);
  EXPECT_EQ(enforce({intent})[0].placement, Placement::kHardware);
  EXPECT_TRUE(enforcer_.software_limits().empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
}

TEST_F(EnforcerTest, IsUnsettledWhileTheDeviceRefusesOrKeepsSomething) {
  probe();
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  emulated::inject({.call = Call::kMeterCreate, .nth = 1});
  enforce({intent, requiring(egress_limit(2, kRed, kMegabyte), wire::Demand::kSoftware)});
  EXPECT_TRUE(enforcer_.unsettled());
  enforce({intent, requiring(egress_limit(2, kRed, kMegabyte), wire::Demand::kSoftware)});
  EXPECT_FALSE(enforcer_.unsettled()) << "what nobody asked of the device is not missing there";
  emulated::inject({.call = Call::kFlowDestroy, .nth = 1});
  enforce({});
  EXPECT_TRUE(enforcer_.unsettled());
  enforce({});
  EXPECT_FALSE(enforcer_.unsettled());
}

TEST_F(EnforcerTest, AFullRuleTableMovesOnlyWhatDoesNotFit) {
  use({.rules = 7});  // a route (5) and one rule each for two VMs on one port
  probe();
  const auto results =
      enforce({egress_limit(1, kRed, kMegabyte), egress_limit(2, kBlue, kMegabyte), egress_limit(3, kWeb, kMegabyte)});
  EXPECT_EQ(results[0].placement, Placement::kHardware);
  EXPECT_EQ(results[1].placement, Placement::kHardware);
  EXPECT_EQ(results[2].placement, Placement::kSoftware);
  EXPECT_THAT(results[2].reason, HasSubstr("flow table is full (ENOSPC)"));
}

TEST_F(EnforcerTest, AFullMeterTableMovesOnlyWhatDoesNotFit) {
  use({.meters = 1});
  probe();
  const auto results = enforce({egress_limit(1, kWeb, kMegabyte), egress_limit(2, kRed, kMegabyte)});
  EXPECT_EQ(results[0].placement, Placement::kHardware);
  EXPECT_EQ(results[1].placement, Placement::kSoftware);
  EXPECT_THAT(results[1].reason, HasSubstr("No more meter objects"));
}

TEST_F(EnforcerTest, MovingToSoftwareKeepsTheDeviceMeteringUntilRetired) {
  probe();
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  enforce({intent});
  const auto results = enforcer_.prepare(set_of({requiring(intent, wire::Demand::kSoftware)}));
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_EQ(results[0].reason, "") << "as asked";
  EXPECT_EQ(enforcer_.software_limits().size(), 1u);
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u) << "make before break";
  enforcer_.retire();
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 40u);
  EXPECT_TRUE(enforcer_.read_device_stats().empty());
}

TEST_F(EnforcerTest, MovingBackToTheDeviceMetersThereBeforeSoftwareStops) {
  probe();
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  enforce({requiring(intent, wire::Demand::kSoftware)});
  EXPECT_EQ(enforcer_.prepare(set_of({intent}))[0].placement, Placement::kHardware);
  EXPECT_TRUE(enforcer_.software_limits().empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
}

TEST_F(EnforcerTest, AWithdrawnIntentIsEnforcedUntilRetired) {
  probe();
  enforce({egress_limit(1, kWeb, kMegabyte)});
  EXPECT_TRUE(enforcer_.prepare({}).empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
  enforcer_.retire();
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 40u);
  EXPECT_EQ(emulated::usage().rules, 0u);
}

TEST_F(EnforcerTest, AnIntentThatComesBackBeforeItIsRetiredStays) {
  probe();
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  enforce({intent});
  ASSERT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
  enforcer_.prepare({});
  enforce({intent});
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 0u) << "the same meter, still empty";
}

TEST_F(EnforcerTest, ARefusedRateChangeMovesThePreferringIntentToSoftware) {
  probe();
  auto intent = egress_limit(1, kWeb, kMegabyte);
  enforce({intent});
  set_rate(intent, BytesPerSecond{2'000'000});
  emulated::inject({.call = Call::kMeterUpdate, .nth = 1});
  EXPECT_EQ(enforcer_.prepare(set_of({intent}))[0].placement, Placement::kSoftware);
  ASSERT_EQ(enforcer_.software_limits().size(), 1u);
  EXPECT_EQ(enforcer_.software_limits()[0].limit.cir.value, 2'000'000u);
  enforcer_.retire();
  EXPECT_EQ(emulated::usage().meters, 0u);
}

TEST_F(EnforcerTest, ARefusedRateChangeLeavesTheOldLimitWhereHardwareIsRequired) {
  probe();
  auto intent = requiring(egress_limit(1, kWeb, kMegabyte), wire::Demand::kRequireHardware);
  enforce({intent});
  set_rate(intent, BytesPerSecond{2'000'000});
  emulated::inject({.call = Call::kMeterUpdate, .nth = 1});
  EXPECT_EQ(enforce({intent})[0].placement, Placement::kRefused);
  EXPECT_EQ(emulated::usage().profiles, 1u) << "the refused profile is gone";
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
  EXPECT_EQ(enforce({intent})[0].placement, Placement::kHardware) << "tried again";
}

TEST_F(EnforcerTest, RemovalThatTheDeviceRefusesIsTriedAgain) {
  probe();
  enforce({egress_limit(1, kWeb, kMegabyte)});
  emulated::inject({.call = Call::kFlowDestroy, .nth = 1});
  enforce({});
  EXPECT_GT(emulated::usage().rules, 0u);
  EXPECT_EQ(enforcer_.read_device_stats().size(), 1u) << "what still drops packets is still told";
  enforce({egress_limit(2, kRed, kMegabyte)});
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 40u);
}

TEST_F(EnforcerTest, WhatTheDeviceDoesNotGiveUpCanComeBackWhole) {
  probe();
  const auto intent = egress_limit(1, kWeb, kMegabyte);
  enforce({intent});
  emulated::inject({.call = Call::kMeterDestroy, .nth = 1});
  enforce({requiring(intent, wire::Demand::kSoftware)});
  EXPECT_TRUE(enforcer_.on_device(IntentId{1})) << "its meter is still there";
  EXPECT_EQ(enforce({intent})[0].placement, Placement::kHardware);
  enforce({intent, egress_limit(2, kRed, kMegabyte)});
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u) << "the rules that had gone are back and stay";
}

TEST_F(EnforcerTest, ARemovedMetersLastCountsAreKept) {
  probe();
  enforce({egress_limit(1, kWeb, kMegabyte)});
  ASSERT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
  enforce({});
  const auto last = enforcer_.take_last_stats();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].stats.id, IntentId{1});
  EXPECT_EQ(last[0].stats.dropped_packets, 24u);
  EXPECT_FALSE(enforcer_.on_device(IntentId{1}));
  EXPECT_TRUE(enforcer_.take_last_stats().empty());
}

TEST_F(EnforcerTest, SaysWhyAnIntentCannotBeARule) {
  probe();
  auto foreign = egress_limit(1, kWeb, kMegabyte);
  foreign.allow_foreign_mac = true;
  auto tunnelled = egress_limit(2, kRed, kMegabyte);
  tunnelled.attachments[0].segment = Segment{Segment::kVniBase + 5};
  const auto results = enforce({foreign, tunnelled});
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_THAT(results[0].reason, HasSubstr("any MAC address"));
  EXPECT_THAT(results[1].reason, HasSubstr("tunnelled segments"));
}

TEST(EnforcerWithoutDevice, EnforcesEverythingInSoftware) {
  Enforcer enforcer(nullptr);
  EXPECT_EQ(enforcer.probe({0}).lending, wire::Lending::kSoftware);
  const auto results = enforcer.prepare(set_of({egress_limit(1, kWeb, kMegabyte)}));
  enforcer.retire();
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_EQ(enforcer.software_limits().size(), 1u);
  EXPECT_TRUE(enforcer.read_device_stats().empty());
}

TEST(Difference, SetsWhatIsNewOrChangedAndClearsWhatIsGone) {
  const auto kept = egress_limit(1, kWeb, kMegabyte);
  const auto gone = egress_limit(2, kWeb, kMegabyte);
  const auto changed = egress_limit(3, kRed, kMegabyte);
  auto change = changed;
  set_rate(change, BytesPerSecond{5});
  const auto fresh = egress_limit(4, kBlue, kMegabyte);
  const auto delta = difference(set_of({kept, gone, changed}), set_of({kept, change, fresh}));
  EXPECT_THAT(delta.set, ::testing::ElementsAre(change, fresh));
  EXPECT_THAT(delta.clear, ::testing::ElementsAre(IntentId{2}));
}

}  // namespace
}  // namespace foreflow::offload
