// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "host/allocate/limits.h"

namespace foreflow::allocate {
namespace {

TEST(Limits, CarryRatesDirectionAndWeightOfTheShare) {
  const Share share{.vm = {7}, .cir = {1'000'000}, .pir = {2'000'000}};
  const wire::Police limit = police(share, Direction::kIngress, 5);
  EXPECT_EQ(limit.vm, VmId{7});
  EXPECT_EQ(limit.direction, Direction::kIngress);
  EXPECT_EQ(limit.cir, BytesPerSecond{1'000'000});
  EXPECT_EQ(limit.pir, BytesPerSecond{2'000'000});
  EXPECT_EQ(limit.weight, 5);
}

TEST(Limits, HaveBurstsInProportionToTheirRates) {
  const wire::Police limit = police({.cir = {1'000'000}, .pir = {2'000'000}}, Direction::kEgress, 1);
  EXPECT_EQ(limit.cbs, Bytes{50'000});
  EXPECT_EQ(limit.pbs, Bytes{1'600'000});
}

TEST(Limits, OfASmallRateStillHoldTwoJumboFrames) {
  const wire::Police limit = police({.cir = {0}, .pir = {100}}, Direction::kEgress, 1);
  EXPECT_EQ(limit.cbs, Bytes{18'036});
  EXPECT_EQ(limit.pbs, Bytes{18'036});
}

TEST(Limits, OfAnUnlimitedRateDoNotOverflow) {
  const wire::Police limit = police({.cir = kUnlimited, .pir = kUnlimited}, Direction::kEgress, 1,
                                    {.committed_ns = 10 * kNanosPerSecond, .peak_ns = 10 * kNanosPerSecond});
  EXPECT_EQ(limit.cbs, Bytes{kUnlimited.value});
}

}  // namespace
}  // namespace foreflow::allocate
