// SPDX-License-Identifier: Apache-2.0
// A device that is reset under a running dataplane: all it held is gone, and is made again without anybody's doing.
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

namespace emulated = offload::emulated;
using wire::Placement;

constexpr std::uint64_t kSecond = Testbed::kSecond;
constexpr VmId kWeb{1};
constexpr std::size_t kOut = index(Direction::kEgress);
constexpr std::uint64_t kRate = 1'000'000;
constexpr std::uint32_t kBurst = 16'000;
constexpr std::uint8_t kTcp = 6;

std::atomic<std::uint64_t> device_now{kSecond};

class DeviceLoss : public ::testing::Test {
 protected:
  DeviceLoss() {
    device_now = kSecond;
    emulated::reset({});
    emulated::set_clock([] { return device_now.load(); });
    bed_.emplace(1, std::vector<TestPort>{{"uplink", config::PortRole::kUplink}, {"web"}}, config::ClockConfig{},
                 std::make_unique<offload::RteFlowBackend>());
  }
  ~DeviceLoss() override {
    bed_.reset();
    emulated::reset({});
  }

  std::vector<wire::IntentResult> ask_for(std::vector<wire::Intent> intents) {
    wire::DesiredState desired{.generation = Generation{1}};
    desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}}};
    desired.intents = std::move(intents);
    return bed_->apply(desired).results;
  }
  std::vector<wire::IntentResult> limit() { return ask_for({limit_}); }
  // What control does in a second.
  void pass_second() {
    device_now += kSecond;
    bed_->run_at(device_now);
    bed_->configurator().retry(device_now);
    while (bed_->configurator().busy()) {
      bed_->run_at(device_now);
      bed_->configurator().finish();
    }
    bed_->serve();
    bed_->run_at(device_now);
    last_ = bed_->report();
  }
  // Bytes of 100 kB offered at once that are let through.
  std::uint64_t let_through() {
    bed_->sent("uplink");
    for (int i = 0; i < 100; ++i) send(1'000);
    std::uint64_t bytes = 0;
    for (const auto& frame : bed_->sent("uplink")) bytes += frame.size();
    return bytes;
  }
  void send(std::size_t size, std::uint8_t flags = kAckFlag) {
    bed_->put("web", 0,
              make_frame({.source = mac(1),
                          .destination = mac(99),
                          .source_host = 1,
                          .destination_host = 2,
                          .protocol = kTcp,
                          .source_port = 1'000,
                          .destination_port = 80,
                          .tcp_flags = flags,
                          .size = size}));
    bed_->run_at(device_now);
  }

  // One that is bypassing.
  void lose_a_flow() {
    send(60, kSynFlag);
    for (int i = 0; i < 5; ++i) send(1'000);
    pass_second();
    ASSERT_EQ(bed_->flows_in_device(), 1u);
    emulated::lose_all();
    for (int second = 0; second < 4; ++second) pass_second();
    EXPECT_EQ(bed_->flows_in_device(), 0u);
    send(1'000);
    pass_second();
    EXPECT_EQ(bed_->flows_in_device(), 1u) << "and may leave once more";
    EXPECT_EQ(last_.dataplane.rx_packets, 1u);
  }

  const wire::Intent limit_{IntentId{1}, 0, wire::Demand::kPreferHardware,
                            wire::Police{.vm = kWeb,
                                         .cir = BytesPerSecond{kRate},
                                         .pir = BytesPerSecond{kRate},
                                         .cbs = Bytes{kBurst},
                                         .pbs = Bytes{kBurst}}};
  const wire::Intent bypass_{IntentId{2}, 0, wire::Demand::kPreferHardware,
                             wire::Bypass{kWeb, std::nullopt, 1'000, 60}};
  std::optional<Testbed> bed_;
  wire::Report last_;
};

TEST_F(DeviceLoss, LimitsAreInForceAgainWithinSeconds) {
  ASSERT_EQ(limit()[0].placement, Placement::kHardware);
  EXPECT_LE(let_through(), kBurst);
  pass_second();
  emulated::lose_all();
  EXPECT_EQ(let_through(), 100'000u) << "nothing holds it back";
  for (int second = 0; second < 4; ++second) pass_second();
  EXPECT_EQ(emulated::usage().meters, 1u);
  EXPECT_LE(let_through(), kBurst);
  pass_second();
  EXPECT_EQ(last_.intents.size(), 1u) << "and counted";
  EXPECT_GT(last_.intents[0].dropped_packets, 0u);
  const auto& sample = sample_of(last_, kWeb).directions[kOut];
  EXPECT_EQ(sample.offered_packets, 100u);
  EXPECT_EQ(sample.drops[wire::index(wire::DropCause::kPoliced)] + sample.passed_packets, 100u);
}

TEST_F(DeviceLoss, AReadThatFailsForEverythingIsNoLossYet) {
  limit();
  pass_second();
  for (int i = 0; i < 3; ++i) emulated::inject({.call = emulated::Call::kFlowQuery, .nth = 1});
  for (int second = 0; second < 3; ++second) {
    pass_second();
    EXPECT_EQ(emulated::usage().meters, 1u);
  }
  EXPECT_LE(let_through(), 2 * kBurst);
}

TEST_F(DeviceLoss, ADeviceThatTakesNothingAfterwardsLeavesTheLimitToThePipeline) {
  limit();
  pass_second();
  emulated::lose_all();
  for (int i = 0; i < 5; ++i) emulated::inject({.call = emulated::Call::kMeterCreate, .nth = 1, .error = ENOMEM});
  for (int second = 0; second < 4; ++second) pass_second();
  EXPECT_EQ(emulated::usage().meters, 0u);
  EXPECT_LE(let_through(), kBurst);
}

TEST_F(DeviceLoss, FlowsThatItCarriedAreThePipelinesAgain) {
  ask_for({limit_, bypass_});
  lose_a_flow();
}

TEST_F(DeviceLoss, FlowsAreMissedWhereItHeldNothingElse) {
  ask_for({bypass_});
  lose_a_flow();
}

}  // namespace
}  // namespace foreflow::pipeline
