// SPDX-License-Identifier: Apache-2.0
// When a forecast is not believed, and when limits come back.
#include <gtest/gtest.h>

#include "host/allocate/trust.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::allocate {
namespace {

constexpr std::int64_t kCycle = 10 * static_cast<std::int64_t>(kNanosPerSecond);

Load load(std::uint32_t vm, std::uint64_t limit, std::uint64_t offered) {
  return {VmId{vm}, megabits(limit), megabits(limit), megabits(limit), megabits(offered)};
}

TEST(Doubt, IsAboutForecastsThatAreAbsurdBesideWhatIsSeen) {
  EXPECT_EQ(doubt(megabits(49), megabits(100), megabits(1000)), Doubt::kTooLow);
  EXPECT_EQ(doubt(megabits(50), megabits(100), megabits(1000)), Doubt::kNone);
  EXPECT_EQ(doubt(megabits(4000), megabits(100), megabits(1000)), Doubt::kNone);
  EXPECT_EQ(doubt(megabits(4100), megabits(100), megabits(1000)), Doubt::kTooHigh);
  EXPECT_EQ(doubt(kUnlimited, {}, kUnlimited), Doubt::kNone);
}

TEST(Unserved, IsWhatHardLimitsCutOff) {
  const std::vector<Load> loads{load(1, 100, 150), load(2, 100, 20)};
  EXPECT_EQ(unserved(loads, megabits(200), false), megabits(50).value);
}

TEST(Unserved, IsOnlyWhatTheLinkCannotCarryWhereTheDeviceLends) {
  std::vector<Load> loads{load(1, 100, 150), load(2, 100, 20)};
  loads[0].pir = megabits(200);
  EXPECT_EQ(unserved(loads, megabits(200), true), 0u);
  loads[1].offered = megabits(80);
  EXPECT_EQ(unserved(loads, megabits(200), true), megabits(30).value);
}

TEST(Regret, LimitsThatServeLessThanThoseBeforeComeBackAfterOneCycle) {
  Regret regret;
  EXPECT_FALSE(regret.judge({kCycle}, {load(1, 100, 90), load(2, 50, 40)}, megabits(200), false));
  const auto verdict = regret.judge({2 * kCycle}, {load(1, 30, 90), load(2, 50, 40)}, megabits(200), false);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->unserved, megabits(60).value);
  EXPECT_EQ(verdict->before, 0u);
  EXPECT_EQ(verdict->restored, 1u);
  EXPECT_EQ(regret.held(VmId{1}, {3 * kCycle}), megabits(100));
  EXPECT_EQ(regret.held(VmId{2}, {3 * kCycle}), std::nullopt);
}

TEST(Regret, WhatIsHeldIsLetGoInTime) {
  Regret regret({.hold_ns = 60 * kNanosPerSecond});
  regret.judge({kCycle}, {load(1, 100, 90)}, megabits(200), false);
  regret.judge({2 * kCycle}, {load(1, 30, 90)}, megabits(200), false);
  EXPECT_TRUE(regret.held(VmId{1}, {7 * kCycle}));
  EXPECT_FALSE(regret.held(VmId{1}, {8 * kCycle}));
}

TEST(Regret, WhatIsRegrettedAgainIsHeldForTwiceAsLong) {
  Regret regret({.cycles = 1, .hold_ns = 60 * kNanosPerSecond});
  const auto harm = [&](std::int64_t cycle) {
    regret.judge({cycle * kCycle}, {load(1, 100, 90)}, megabits(200), false);
    regret.judge({(cycle + 1) * kCycle}, {load(1, 30, 90)}, megabits(200), false);
  };
  harm(1);
  EXPECT_FALSE(regret.held(VmId{1}, {9 * kCycle}));
  harm(20);
  EXPECT_TRUE(regret.held(VmId{1}, {32 * kCycle}));
  EXPECT_FALSE(regret.held(VmId{1}, {33 * kCycle}));
}

TEST(Regret, ATradeThatServesMoreIsNotRegretted) {
  Regret regret;
  regret.judge({kCycle}, {load(1, 100, 40), load(2, 50, 100)}, megabits(200), false);
  EXPECT_FALSE(regret.judge({2 * kCycle}, {load(1, 50, 60), load(2, 100, 100)}, megabits(200), false));
}

TEST(Regret, ASlowDescentIsSeenAgainstTheLimitsOfSomeCyclesAgo) {
  Regret regret({.cycles = 6, .permille = 100});
  bool seen = false;
  for (int i = 1; i <= 6; ++i)
    seen |= regret.judge({i * kCycle}, {load(1, 106 - 6 * static_cast<std::uint64_t>(i), 95)}, megabits(200), false)
                .has_value();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace foreflow::allocate
