// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "common/wire/limits.h"
#include "host/allocate/limits.h"

namespace foreflow::allocate {
namespace {

TEST(Limits, CarryRatesDirectionAndWeightOfTheShare) {
  const Share share{.vm = {7}, .cir = {1'000'000}, .pir = {2'000'000}};
  const wire::Police limit = police(share, Direction::kIngress, {.weight = 5});
  EXPECT_EQ(limit.vm, VmId{7});
  EXPECT_EQ(limit.direction, Direction::kIngress);
  EXPECT_EQ(limit.cir, BytesPerSecond{1'000'000});
  EXPECT_EQ(limit.pir, BytesPerSecond{2'000'000});
  EXPECT_EQ(limit.weight, 5);
}

TEST(Limits, HaveBurstsInProportionToTheirRates) {
  const wire::Police limit = police({.cir = {1'000'000}, .pir = {2'000'000}}, Direction::kEgress, {});
  EXPECT_EQ(limit.cbs, Bytes{50'000});
  EXPECT_EQ(limit.pbs, Bytes{1'600'000});
}

TEST(Limits, OfASmallRateStillHoldTwoJumboFrames) {
  const wire::Police limit = police({.cir = {0}, .pir = {100}}, Direction::kEgress, {});
  EXPECT_EQ(limit.cbs, Bytes{18'036});
  EXPECT_EQ(limit.pbs, Bytes{18'036});
}

TEST(Limits, OfAnUnlimitedRateHaveTheLargestBurstThatADataplaneTakes) {
  const wire::Police limit = police({.cir = kUnlimited, .pir = kUnlimited}, Direction::kEgress, {},
                                    {.committed_ns = 10 * kNanosPerSecond, .peak_ns = 10 * kNanosPerSecond});
  EXPECT_EQ(limit.cbs, Bytes{wire::kLargestBurst});
  EXPECT_EQ(limit.pbs, Bytes{wire::kLargestBurst});
}

TEST(Limits, OfPacketsHaveABurstThatLastsAsLong) {
  const wire::Police limit = police({.pir = {2'000'000}}, Direction::kEgress, {.packets_per_second = 1'000});
  EXPECT_EQ(limit.packets_per_second, 1'000u);
  EXPECT_EQ(limit.packet_burst, 800u);
  EXPECT_EQ(police({}, Direction::kEgress, {.packets_per_second = 1}).packet_burst, 32u);
  EXPECT_EQ(police({}, Direction::kEgress, {}).packet_burst, 0u);
}

TEST(Limits, OfAShapedVmHaveAShortBurst) {
  const wire::Police limit = police({.pir = {10'000'000}}, Direction::kEgress, {.shape = true});
  EXPECT_TRUE(limit.shape);
  EXPECT_EQ(limit.pbs, Bytes{100'000});
}

}  // namespace
}  // namespace foreflow::allocate
