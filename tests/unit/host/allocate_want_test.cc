// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "host/allocate/want.h"

namespace foreflow::allocate {
namespace {

constexpr std::int64_t kMinute = 60 * static_cast<std::int64_t>(kNanosPerSecond);
constexpr std::int64_t kHour = 60 * kMinute;

// A VM whose demand a test dictates, one cycle per call.
class Want : public ::testing::Test {
 protected:
  std::uint64_t cycle(std::int64_t at, std::uint64_t demand) {
    input_.now = {at};
    input_.demand = {demand};
    state_ = next_want(config_, state_, input_);
    return state_->want.value;
  }

  WantConfig config_;
  WantInput input_;
  std::optional<WantState> state_;
};

TEST_F(Want, StartsAtTheDemand) { EXPECT_EQ(cycle(0, 1'000), 1'000); }

TEST_F(Want, IsNeverBelowTheFloor) {
  input_.floor = {300};
  EXPECT_EQ(cycle(0, 10), 300);
}

TEST_F(Want, IsNeverAboveTheCap) {
  input_.cap = {800};
  EXPECT_EQ(cycle(0, 1'000), 800);
}

TEST_F(Want, FollowsARiseAtOnce) {
  cycle(0, 1'000);
  EXPECT_EQ(cycle(1, 1'001), 1'001);
}

TEST_F(Want, IgnoresAFallWithinAQuarterForEver) {
  cycle(0, 1'000);
  EXPECT_EQ(cycle(kMinute, 750), 1'000);
  EXPECT_EQ(cycle(9 * kHour, 750), 1'000);
}

TEST_F(Want, HoldsADeeperFallForTwoHours) {
  cycle(0, 1'000);
  cycle(kMinute, 100);
  EXPECT_EQ(cycle(kMinute + 2 * kHour - 1, 100), 1'000);
  EXPECT_EQ(cycle(kMinute + 2 * kHour, 100), 100);
}

TEST_F(Want, FallsToTheHighestDemandOfTheHoldAndHoldsAgain) {
  cycle(0, 1'000);
  cycle(kMinute, 100);
  cycle(kHour, 600);
  cycle(kHour + kMinute, 50);
  EXPECT_EQ(cycle(2 * kHour + kMinute, 200), 600);
  cycle(3 * kHour, 250);
  EXPECT_EQ(cycle(4 * kHour, 50), 600);
  EXPECT_EQ(cycle(4 * kHour + kMinute, 50), 250);  // 200 when it fell, 250 since
}

TEST_F(Want, HoldsAgainAfterDemandWasBack) {
  cycle(0, 1'000);
  cycle(0, 100);
  cycle(kHour, 1'000);
  EXPECT_EQ(cycle(2 * kHour, 100), 1'000);
}

TEST_F(Want, GivesBackAtOnceWhenALinkNeedsIt) {
  cycle(0, 1'000);
  input_.contended = true;
  EXPECT_EQ(cycle(1, 100), 100);
}

TEST_F(Want, IsKeptWithoutAForecastHoweverLongAndShortTheLink) {
  cycle(0, 1'000);
  input_.known = false;
  EXPECT_EQ(cycle(kHour, 0), 1'000);
  input_.contended = true;
  EXPECT_EQ(cycle(30 * kHour, 0), 1'000);
  input_.cap = {700};  // policy still holds
  EXPECT_EQ(cycle(31 * kHour, 0), 700);
  input_ = {};
  EXPECT_EQ(cycle(32 * kHour, 0), 700);  // a forecast is back: the hold begins now
  EXPECT_EQ(cycle(34 * kHour, 0), 0);
}

TEST_F(Want, FollowsALoweredCapAtOnce) {
  cycle(0, 1'000);
  input_.cap = {400};
  EXPECT_EQ(cycle(1, 1'000), 400);
}

TEST_F(Want, OfALimitedVmGrowsByAQuarterOfItsLimitEachCycle) {
  input_.limited = true;
  input_.installed = {1'000};
  EXPECT_EQ(cycle(0, 1'000), 1'250);
  input_.installed = {1'250};
  EXPECT_EQ(cycle(1, 1'000), 1'562);
}

TEST_F(Want, OfALimitedVmStopsAtTheCap) {
  input_.limited = true;
  input_.installed = kUnlimited;
  input_.cap = {5'000};
  EXPECT_EQ(cycle(0, 1'000), 5'000);
}

TEST_F(Want, DoesNotWrapRoundWithSettingsAboveOneHundredPercent) {
  config_.deadband_permille = 5'000;
  cycle(0, 1'000);
  EXPECT_EQ(cycle(2 * kHour, 10), 1'000);
}

}  // namespace
}  // namespace foreflow::allocate
