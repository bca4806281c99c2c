// SPDX-License-Identifier: Apache-2.0
// What reports say of limits that a device enforces, while they come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::SizeIs;

constexpr VmId kVm{1};
constexpr IntentId kLimit{7};
constexpr std::size_t kOut = index(Direction::kEgress);

// Takes every intent, counts what the test says, and gives intents up only when it may.
class CountingDevice final : public offload::OffloadBackend {
 public:
  struct State {
    std::map<IntentId, wire::IntentStats> installed;
    bool keeps = false;
  };
  explicit CountingDevice(State& state) : state_(state) {}

  Result<std::size_t> reconcile(const std::vector<std::uint16_t>&) override { return 0; }
  wire::Capabilities probe(const std::vector<std::uint16_t>&) override { return {.hardware_meters = true}; }
  std::vector<wire::IntentResult> apply(const offload::IntentDelta& delta) override {
    std::vector<wire::IntentResult> results;
    for (const auto& intent : delta.set) {
      const auto id = intent.intent.id;
      state_.installed.try_emplace(id, wire::IntentStats{.id = id});
      results.push_back({.id = id, .placement = wire::Placement::kHardware});
    }
    if (!state_.keeps)
      for (const auto id : delta.clear) state_.installed.erase(id);
    return results;
  }
  std::vector<wire::IntentStats> read_stats() override {
    std::vector<wire::IntentStats> all;
    for (const auto& [id, stats] : state_.installed) all.push_back(stats);
    return all;
  }
  bool holds(IntentId id) const override { return state_.installed.contains(id); }
  std::optional<std::string> explain(IntentId) const override { return std::nullopt; }

 private:
  State& state_;
};

class DeviceReport : public testing::Test {
 protected:
  DeviceReport() { enforcer_.probe({0}); }

  void apply(std::optional<wire::Demand> demand) {
    wire::DesiredState desired;
    desired.vms = {{kVm, "a", {{"a", mac(1), Segment{0}}}}};
    const wire::Police police{
        kVm, Direction::kEgress, BytesPerSecond{1'000}, BytesPerSecond{1'000}, Bytes{1'000}, Bytes{1'000}, 1};
    if (demand) desired.intents = {{kLimit, 0, *demand, police}};
    configurator_.begin(desired);
    reporter_.follow();
    bed_.run();
    ASSERT_TRUE(configurator_.finish());
  }
  void drop(std::uint64_t packets) { device_.installed.at(kLimit).dropped_packets += packets; }
  wire::Report report() { return reporter_.report(UnixNanos{1}, Testbed::kSecond); }
  std::uint64_t policed(const wire::Report& report) {
    return sample_of(report, kVm).directions[kOut].drops[wire::index(wire::DropCause::kPoliced)];
  }

  Testbed bed_{1, {{"a"}, {"uplink", config::PortRole::kUplink}}};
  CountingDevice::State device_;
  offload::Enforcer enforcer_{std::make_unique<CountingDevice>(device_)};
  Configurator configurator_{bed_.engine(), enforcer_, bed_.ports()};
  Reporter reporter_{bed_.engine(), enforcer_, configurator_};
};

TEST_F(DeviceReport, DropsUpToTheRemovalOfAMeterAreTheVms) {
  apply(wire::Demand::kPreferHardware);
  drop(5);
  EXPECT_EQ(policed(report()), 5u);
  drop(3);
  apply(std::nullopt);
  EXPECT_TRUE(device_.installed.empty());
  const auto last = report();
  EXPECT_EQ(policed(last), 3u);
  EXPECT_THAT(last.intents, SizeIs(1)) << "its last counts";
  EXPECT_THAT(report().intents, SizeIs(0));
}

TEST_F(DeviceReport, AMeterThatComesBackStartsFromNothing) {
  apply(wire::Demand::kPreferHardware);
  drop(5);
  report();
  apply(std::nullopt);
  report();
  apply(wire::Demand::kPreferHardware);
  drop(9);
  EXPECT_EQ(policed(report()), 9u);
}

TEST_F(DeviceReport, AMeterThatTheDeviceKeepsIsToldOnceAndTriedAgain) {
  apply(wire::Demand::kPreferHardware);
  device_.keeps = true;
  apply(wire::Demand::kSoftware);
  drop(4);
  const auto kept = report();
  EXPECT_THAT(kept.intents, SizeIs(1)) << "the place in force";
  EXPECT_EQ(kept.intents[0].dropped_packets, 0u) << "software has dropped nothing";
  EXPECT_EQ(policed(kept), 4u) << "but the VM's packets were lost";
  device_.keeps = false;
  apply(wire::Demand::kSoftware);
  EXPECT_TRUE(device_.installed.empty());
  EXPECT_THAT(report().intents, SizeIs(1));
}

}  // namespace
}  // namespace foreflow::pipeline
