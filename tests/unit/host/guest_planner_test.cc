// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_planner.h"

#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::app {
namespace {

using model::GuestResource;
using ::testing::HasSubstr;

constexpr std::uint64_t kCpu = 1'000'000;
constexpr std::uint64_t kGib = 1ull << 30;
constexpr std::uint64_t kMib = 1ull << 20;

class GuestPlannerTest : public ::testing::Test {
 protected:
  GuestPlannerTest() {
    fleet_ = small_fleet();
    for (std::size_t i = 0; i < 2; ++i) {
      fleet_.vms[i].id = VmId{static_cast<std::uint32_t>(i + 1)};
      domains_[i].name = fleet_.vms[i].name;
      domains_[i].vcpus = 2;
      domains_[i].vcpus_maximum = 4;
      domains_[i].memory = {.current = {2 * kGib}, .maximum = {4 * kGib}};
    }
    used_.fill(Bytes{kGib});
  }

  // A cycle ten seconds after the last one.
  GuestPlanned plan() {
    now_.value += 10 * static_cast<std::int64_t>(kNanosPerSecond);
    GuestRequest request{.fleet = fleet_, .host = "node1", .node = node_, .now = now_};
    for (std::size_t i = 0; i < 2; ++i)
      if (fleet_.vms[i].policy.cpu || fleet_.vms[i].policy.memory)
        request.guests.push_back({&fleet_.vms[i], &domains_[i], used_[i], true});
    request.others = others_;
    request.forecast = [&](VmId vm, GuestResource resource) -> std::optional<forecast::Forecast> {
      const auto found = demand_.find({vm, resource});
      if (found == demand_.end()) return std::nullopt;
      forecast::Forecast forecast;
      forecast.quantiles.values = Eigen::ArrayXXd::Zero(12, predictor::kQuantiles.size());
      forecast.so_far = forecast.last = {found->second};
      return forecast;
    };
    return planner_.plan(request);
  }
  static model::GuestDecision of(const GuestPlanned& planned, std::uint32_t vm, GuestResource resource) {
    const auto found = planned.decisions.find({VmId{vm}, resource});
    EXPECT_NE(found, planned.decisions.end());
    return found == planned.decisions.end() ? model::GuestDecision{} : found->second;
  }
  // Cycles in which balloons follow at once.
  void run(int cycles) {
    for (int i = 0; i < cycles; ++i)
      for (const auto& [key, decision] : plan().decisions)
        if (key.second == GuestResource::kMemory) domains_[key.first.value - 1].memory.current = {decision.limit};
  }

  model::AllocationSettings settings_{.hold_ns = 60 * kNanosPerSecond};
  model::Fleet fleet_;
  std::array<guest::Domain, 2> domains_;
  std::array<std::optional<Bytes>, 2> used_;
  std::map<std::pair<VmId, GuestResource>, std::uint64_t> demand_;
  guest::Node node_{8, Bytes{16 * kGib}};
  Bytes others_;
  UnixNanos now_{1'700'000'000'000'000'000};
  GuestPlanner planner_{settings_};
};

TEST_F(GuestPlannerTest, LeavesAloneWhatNobodyEnabled) { EXPECT_TRUE(plan().decisions.empty()); }

TEST_F(GuestPlannerTest, CpuRisesAtOnceAndFallsAfterTheHold) {
  fleet_.vms[0].policy.cpu = model::GuestShare{};
  demand_[{VmId{1}, GuestResource::kCpu}] = 3 * kCpu;
  EXPECT_EQ(of(plan(), 1, GuestResource::kCpu).want, 3 * kCpu);
  demand_[{VmId{1}, GuestResource::kCpu}] = kCpu;
  EXPECT_EQ(of(plan(), 1, GuestResource::kCpu).want, 3 * kCpu);
  run(8);
  EXPECT_EQ(of(plan(), 1, GuestResource::kCpu).want, kCpu);
}

TEST_F(GuestPlannerTest, CpusAreSharedByWeightAndGuaranteesHold) {
  node_.cpus = 4;
  for (auto& vm : fleet_.vms) vm.policy.cpu = model::GuestShare{};
  fleet_.vms[0].policy.tier = fleet_.vms[1].policy.tier;
  fleet_.vms[0].policy.cpu->guarantee = 5 * kCpu / 2;
  for (const auto vm : {1u, 2u}) demand_[{VmId{vm}, GuestResource::kCpu}] = 4 * kCpu;
  const auto planned = plan();
  const auto web = of(planned, 1, GuestResource::kCpu).limit;
  const auto db = of(planned, 2, GuestResource::kCpu).limit;
  EXPECT_GE(web, 5 * kCpu / 2);
  EXPECT_LE(web + db, 4 * kCpu);
  EXPECT_THAT(of(planned, 2, GuestResource::kCpu).why, HasSubstr("limited by node1 CPU (3.60 CPUs to promise"));
}

TEST_F(GuestPlannerTest, MemoryFallsSlowlyAndNeverBelowWhatIsUsedAndAMargin) {
  fleet_.vms[0].policy.memory = model::GuestShare{};
  demand_[{VmId{1}, GuestResource::kMemory}] = 512 * kMib;
  used_[0] = Bytes{512 * kMib};
  const auto least = 512 * kMib + GuestPlanner::margin(*used_[0]).value;
  for (int i = 0; i < 200; ++i) {
    const auto before = domains_[0].memory.current.value;
    run(1);
    const auto after = domains_[0].memory.current.value;
    EXPECT_GE(after, before - before / 20);
    EXPECT_GE(after, least);
  }
  EXPECT_EQ(domains_[0].memory.current.value, least);
}

TEST_F(GuestPlannerTest, MemoryRisesAtOnceWithWhatIsUsed) {
  fleet_.vms[0].policy.memory = model::GuestShare{};
  used_[0] = Bytes{2 * kGib};
  EXPECT_EQ(of(plan(), 1, GuestResource::kMemory).limit, 2 * kGib + 2 * kGib / 8);
}

TEST_F(GuestPlannerTest, ASilentBalloonDriverKeepsWhatItsVmHas) {
  fleet_.vms[0].policy.memory = model::GuestShare{};
  demand_[{VmId{1}, GuestResource::kMemory}] = 100 * kMib;
  used_[0].reset();
  run(50);
  const auto decision = of(plan(), 1, GuestResource::kMemory);
  EXPECT_EQ(decision.limit, 2 * kGib);
  EXPECT_THAT(decision.why, HasSubstr("its balloon driver does not say"));
}

TEST_F(GuestPlannerTest, WithoutAForecastNothingIsNarrowed) {
  fleet_.vms[0].policy.cpu = model::GuestShare{};
  fleet_.vms[0].policy.memory = model::GuestShare{};
  run(50);
  EXPECT_EQ(of(plan(), 1, GuestResource::kCpu).want, 2 * kCpu);
  EXPECT_EQ(of(plan(), 1, GuestResource::kMemory).limit, 2 * kGib);
}

TEST_F(GuestPlannerTest, MemoryRisesOnlyIntoWhatTheHostHasFree) {
  fleet_.vms[0].policy.memory = model::GuestShare{};
  demand_[{VmId{1}, GuestResource::kMemory}] = 3 * kGib;
  others_ = Bytes{9 * kGib};
  node_.memory = Bytes{13 * kGib};  // 11.7 GiB may be given, 11 are
  const auto decision = of(plan(), 1, GuestResource::kMemory);
  EXPECT_EQ(decision.limit, (node_.memory.value * 9 / 10 - others_.value) / 1'024 * 1'024);
  EXPECT_THAT(decision.why, HasSubstr("until the host has more memory free"));
}

TEST_F(GuestPlannerTest, GuaranteesThatDoNotFitAreNamedAndNothingIsDecided) {
  fleet_.vms[0].policy.cpu = model::GuestShare{.guarantee = 4 * kCpu};
  fleet_.vms[1].policy.cpu = model::GuestShare{.guarantee = 4 * kCpu};
  const auto planned = plan();
  EXPECT_TRUE(planned.decisions.empty());
  EXPECT_THAT(planned.failures.at(GuestResource::kCpu), HasSubstr("8.00 CPUs, more than the 7.20 CPUs"));
}

TEST_F(GuestPlannerTest, AVmThatUsesAllThatItMayIsLimited) {
  fleet_.vms[0].policy.cpu = model::GuestShare{.cap = kCpu};
  plan();
  model::GuestSample sample{.vm = VmId{1}, .interval_ns = kNanosPerSecond, .cpu_ns = 970'000'000, .vcpus = 2};
  EXPECT_TRUE(planner_.is_limited(sample));
  sample.cpu_ns /= 2;
  EXPECT_FALSE(planner_.is_limited(sample));
}

}  // namespace
}  // namespace foreflow::app
