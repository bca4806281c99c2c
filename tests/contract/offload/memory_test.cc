// SPDX-License-Identifier: Apache-2.0
// What an emulated device keeps when its owner goes, and what the next owner makes of it.
#include <fstream>

#include <gmock/gmock.h>

#include "common/clock.h"
#include "dataplane/offload/emulated/device_memory.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using emulated::DeviceMemory;
using emulated::Profile;
using ::testing::HasSubstr;

constexpr BytesPerSecond kMegabyte{1'000'000};
const Frame kFromWeb{.source = kWeb, .destination = kOutside};

class DeviceMemoryTest : public DeviceTest {
 protected:
  // The owner of the device goes and another one comes.
  void change_owner(Profile profile) { use({.profile = profile, .memory = file_}); }
  DeviceMemory::Contents contents() const {
    const auto found = DeviceMemory::inspect(file_);
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(DeviceMemory::Contents{});
  }
  emulated::Usage inside() const { return contents().usage; }
  static void limit_web(RteFlowBackend& backend, BytesPerSecond rate) {
    backend.probe(kAllPorts);
    const auto results = backend.apply({.set = {egress_limit(1, kWeb, rate)}, .clear = {}});
    ASSERT_EQ(results.at(0).placement, wire::Placement::kHardware) << results[0].reason;
  }
  void TearDown() override { use({}); }

  foreflow::test::TemporaryDirectory directory_;
  std::string file_ = directory_ / "device";
};

TEST_F(DeviceMemoryTest, ShowsWhatTheDeviceHolds) {
  change_owner(Profile::kMlx5);
  EXPECT_TRUE(inside().empty());
  RteFlowBackend backend;
  limit_web(backend, kMegabyte);
  EXPECT_EQ(inside().rules, 6u) << "a route of five and the meter's own";
  EXPECT_EQ(inside().meters, 1u);
  const auto before = SystemClock().now();
  EXPECT_LE(contents().written, before);
  backend.apply({.set = {}, .clear = {IntentId{1}}});
  EXPECT_GE(contents().written, before);
  EXPECT_EQ(inside().rules + inside().meters + inside().profiles, 0u);
}

TEST_F(DeviceMemoryTest, RulesVanishWithTheirOwner) {
  change_owner(Profile::kMlx5);
  RteFlowBackend backend;
  limit_web(backend, kMegabyte);
  change_owner(Profile::kMlx5);
  EXPECT_TRUE(emulated::usage().empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 40u);
}

TEST_F(DeviceMemoryTest, AStickyDeviceGoesOnLimitingForItsNextOwner) {
  change_owner(Profile::kSticky);
  RteFlowBackend former;
  limit_web(former, kMegabyte);
  limit_web(former, BytesPerSecond{2'000'000});  // the meter has a profile that is younger than itself
  const auto before = inside();
  EXPECT_EQ(contents().committed, 2'000'000u);
  EXPECT_EQ(contents().strays, 0u);
  change_owner(Profile::kSticky);
  EXPECT_EQ(contents().strays, before.rules + before.meters + before.profiles + before.policies);
  EXPECT_EQ(emulated::usage().rules, before.rules);
  EXPECT_EQ(emulated::usage().meters, before.meters);
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
}

TEST_F(DeviceMemoryTest, ReconciliationRemovesWhatAFormerProcessLeft) {
  change_owner(Profile::kSticky);
  RteFlowBackend former;
  limit_web(former, kMegabyte);
  change_owner(Profile::kSticky);
  ASSERT_FALSE(emulated::usage().empty());
  RteFlowBackend next;
  const auto removed = next.reconcile(kAllPorts);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 1u);
  EXPECT_TRUE(inside().empty());
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 40u);
  limit_web(next, kMegabyte);
  EXPECT_EQ(contents().strays, 0u);
  EXPECT_EQ(arrive(kWebPort, kFromWeb, 40), 16u);
}

TEST_F(DeviceMemoryTest, KeepsAHierarchyOfMeters) {
  change_owner(Profile::kSticky);
  const auto build_hierarchy = [] {
    rte_mtr_meter_profile profile{};
    profile.alg = RTE_MTR_TRTCM_RFC2698;
    profile.trtcm_rfc2698 = {.cir = 1'000, .pir = 2'000, .cbs = 3'000, .pbs = 4'000};
    rte_mtr_error error{};
    EXPECT_EQ(rte_mtr_meter_profile_add(kUplink, 1, &profile, &error), 0);
    const rte_flow_action end{};
    const rte_flow_action drop[2]{{.type = RTE_FLOW_ACTION_TYPE_DROP, .conf = nullptr}, {}};
    rte_mtr_meter_policy_params ending{};
    ending.actions[RTE_COLOR_GREEN] = ending.actions[RTE_COLOR_YELLOW] = &end;
    ending.actions[RTE_COLOR_RED] = drop;
    EXPECT_EQ(rte_mtr_meter_policy_add(kUplink, 1, &ending, &error), 0);
    rte_mtr_params params{};
    params.meter_profile_id = params.meter_policy_id = 1;
    EXPECT_EQ(rte_mtr_create(kUplink, 7, &params, 1, &error), 0);
    const rte_flow_action_meter shared{.mtr_id = 7};
    const rte_flow_action chain[2]{{.type = RTE_FLOW_ACTION_TYPE_METER, .conf = &shared}, {}};
    auto chained = ending;
    chained.actions[RTE_COLOR_GREEN] = chain;
    EXPECT_EQ(rte_mtr_meter_policy_add(kUplink, 2, &chained, &error), 0);
  };
  build_hierarchy();
  change_owner(Profile::kSticky);
  EXPECT_EQ(emulated::usage().policies, 2u);
  rte_mtr_error error{};
  EXPECT_EQ(rte_mtr_destroy(kUplink, 7, &error), -EBUSY) << "the second policy leads to it";
}

TEST_F(DeviceMemoryTest, HasOneOwnerAtATime) {
  change_owner(Profile::kMlx5);
  const auto second = DeviceMemory::open(file_, 1, false);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("is in use"));
}

TEST_F(DeviceMemoryTest, ForeignBytesAreRefusedAndKept) {
  std::ofstream(file_) << std::string(4'096, 'x');
  change_owner(Profile::kSticky);
  RteFlowBackend backend;
  EXPECT_FALSE(backend.probe(kAllPorts).hardware_meters);
  const auto found = DeviceMemory::inspect(file_);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("remove it or name another file"));
}

TEST_F(DeviceMemoryTest, AFullMemoryForgetsRatherThanFails) {
  auto memory = DeviceMemory::open(file_, 1, true);
  ASSERT_TRUE(memory) << memory.error().message;
  memory->take();
  const emulated::MeterRecord meter{
      .port = 0, .id = 5, .profile = 1, .policy = 1, .shared = true, .counts_drops = true};
  const auto first = memory->put(meter);
  EXPECT_NE(first, DeviceMemory::kNowhere);
  EXPECT_EQ(memory->put(meter), DeviceMemory::kNowhere);
  memory->erase(DeviceMemory::kNowhere);
  EXPECT_EQ(inside().meters, 1u);
  memory->erase(first);
  EXPECT_EQ(inside().meters, 0u);
}

TEST_F(DeviceMemoryTest, ADeviceWithoutTransferRulesLeavesLimitsToSoftware) {
  use({.profile = Profile::kCnxk});
  Enforcer enforcer(std::make_unique<RteFlowBackend>());
  EXPECT_FALSE(enforcer.probe(kAllPorts).hardware_meters);
  const auto results = enforcer.prepare(set_of({egress_limit(1, kWeb, kMegabyte)}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].placement, wire::Placement::kSoftware);
  EXPECT_EQ(emulated::usage().rules + emulated::usage().meters, 0u);
}

}  // namespace
}  // namespace foreflow::offload
