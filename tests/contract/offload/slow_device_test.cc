// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend on a device that takes its time.
#include <chrono>

#include <gtest/gtest.h>

#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

constexpr BytesPerSecond kMegabyte{1'000'000};
constexpr std::uint64_t kMillisecond = 1'000'000;

class SlowDevice : public DeviceTest {
 protected:
  void install_a_limit() {
    ASSERT_TRUE(backend_.probe(kAllPorts).hardware_meters);
    const auto results = backend_.apply({.set = {egress_limit(1, kWeb, kMegabyte)}, .clear = {}});
    ASSERT_EQ(results[0].placement, wire::Placement::kHardware) << results[0].reason;
  }
  wire::IntentStats stats() {
    const auto all = backend_.read_stats();
    return all.size() == 1 ? all[0] : wire::IntentStats{};
  }

  RteFlowBackend backend_;
};

TEST_F(SlowDevice, CountersThatComeLateNeverGoBackAndAreExactInTheEnd) {
  use({.counter_delay_us = 500'000});
  install_a_limit();
  std::uint64_t before = 0;
  std::uint64_t passed = 0;
  for (int i = 0; i < 10; ++i) {
    passed += arrive(kWebPort, {.source = kWeb, .destination = kOutside}, 40);
    advance(100 * kMillisecond);
    const auto told = stats().passed_packets;
    EXPECT_GE(told, before);
    EXPECT_LE(told, passed);
    before = told;
  }
  EXPECT_GT(before, 0u);
  advance(500 * kMillisecond);
  EXPECT_EQ(stats().passed_packets, passed);
  EXPECT_EQ(stats().dropped_packets, 400 - passed);
}

TEST_F(SlowDevice, InsertionIsWaitedFor) {
  constexpr std::uint32_t kSlow = 2'000;
  use({.insert_delay_us = kSlow});
  const auto began = std::chrono::steady_clock::now();
  install_a_limit();
  EXPECT_GE(std::chrono::steady_clock::now() - began, emulated::usage().rules * std::chrono::microseconds(kSlow));
}

}  // namespace
}  // namespace foreflow::offload
