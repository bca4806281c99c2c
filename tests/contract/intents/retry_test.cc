// SPDX-License-Identifier: Apache-2.0
// What a device refuses is asked of it again, in the pipeline's time, on the emulated eSwitch.
#include "dataplane/pipeline/retry.h"

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

wire::DesiredState one_limit() {
  wire::DesiredState desired{.generation = Generation{1}};
  desired.vms = {{VmId{1}, "web", {{"web", mac(1), Segment{0}}}}};
  desired.intents = {{IntentId{1}, 0, wire::Demand::kPreferHardware,
                      wire::Police{.vm = VmId{1},
                                   .cir = BytesPerSecond{1'000'000},
                                   .pir = BytesPerSecond{1'000'000},
                                   .cbs = Bytes{16'000},
                                   .pbs = Bytes{16'000}}}};
  return desired;
}

class RetryTest : public ::testing::Test {
 protected:
  RetryTest() {
    emulated::reset({});
    bed_.emplace(1, std::vector<TestPort>{{"uplink", config::PortRole::kUplink}, {"web"}}, config::ClockConfig{},
                 std::make_unique<offload::RteFlowBackend>());
  }
  ~RetryTest() override {
    bed_.reset();
    emulated::reset({});
  }

  static void refuse_next() { emulated::inject({.call = emulated::Call::kMeterCreate, .nth = 1, .error = ENOMEM}); }
  // One tick of control; what it would tell the manager.
  std::optional<wire::Applied> tick(std::uint64_t now_ns) {
    tried_ = bed_->configurator().retry(now_ns);
    while (bed_->configurator().busy()) {
      bed_->run_at(now_ns);
      if (auto answer = bed_->configurator().finish()) return answer;
    }
    return std::nullopt;
  }

  std::optional<Testbed> bed_;
  bool tried_ = false;
};

TEST_F(RetryTest, ALimitGoesToTheDeviceOnceItIsTaken) {
  refuse_next();
  ASSERT_EQ(bed_->apply(one_limit()).results[0].placement, Placement::kSoftware);
  EXPECT_FALSE(tick(10 * kSecond)) << "not at once";
  EXPECT_FALSE(tried_);
  const auto answer = tick(11 * kSecond);
  ASSERT_TRUE(answer) << "something came of it";
  EXPECT_EQ(answer->generation, Generation{1});
  EXPECT_EQ(answer->results[0].placement, Placement::kHardware);
  EXPECT_EQ(emulated::usage().meters, 1u);
  EXPECT_FALSE(tick(100 * kSecond));
  EXPECT_FALSE(tried_) << "nothing is left to be tried";
}

TEST_F(RetryTest, NobodyIsToldThatItWasRefusedOnceMore) {
  refuse_next();
  bed_->apply(one_limit());
  tick(10 * kSecond);
  refuse_next();
  EXPECT_FALSE(tick(11 * kSecond));
  EXPECT_TRUE(tried_);
  tick(12 * kSecond);
  EXPECT_FALSE(tick(13 * kSecond)) << "the second time takes twice as long";
  EXPECT_FALSE(tried_);
  EXPECT_TRUE(tick(14 * kSecond));
}

TEST_F(RetryTest, WhatTheDeviceWasNotAskedIsNotTried) {
  auto desired = one_limit();
  desired.intents[0].demand = wire::Demand::kSoftware;
  bed_->apply(desired);
  for (std::uint64_t second = 10; second < 100; ++second) {
    EXPECT_FALSE(tick(second * kSecond));
    EXPECT_FALSE(tried_);
  }
}

TEST(Retry, WaitsTwiceAsLongEachTimeUpToAMinute) {
  Retry retry;
  std::uint64_t now = 0;
  for (const std::uint64_t wait : {1, 2, 4, 8, 16, 32, 64, 64, 64}) {
    EXPECT_FALSE(retry.due(now));
    EXPECT_FALSE(retry.due(now + wait * kSecond - 1));
    now += wait * kSecond;
    EXPECT_TRUE(retry.due(now)) << wait;
  }
  retry.rest();
  EXPECT_FALSE(retry.due(now));
  EXPECT_TRUE(retry.due(now + kSecond));
}

}  // namespace
}  // namespace foreflow::pipeline
