// SPDX-License-Identifier: Apache-2.0
// What the planner makes of forecasts that are good, missing, stale, absurd or wrong: limits are never narrowed by what
// is not known.
#include "host/app/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::app {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kIntervalNs = 300 * kNanosPerSecond;

// One VM, `web`, in one direction of interest: what is forecast for it, and what it then does.
class PlannerTest : public ::testing::Test {
 protected:
  PlannerTest() {
    fleet_.vms.pop_back();
    fleet_.vms[0].id = VmId{1};
  }

  // An interval passes: `forecast` at all quantiles was told for it, `came` was seen in the one before.
  Decision interval(std::optional<std::uint64_t> forecast, std::uint64_t came, bool stale = false) {
    now_.value += static_cast<std::int64_t>(kIntervalNs);
    const auto told = [&](VmId, Direction) -> std::optional<forecast::Forecast> {
      if (!forecast) return std::nullopt;
      forecast::Forecast made{.made_at = now_, .step_ns = kIntervalNs, .last = BytesPerSecond{came}};
      made.quantiles.values = Eigen::ArrayXXd::Constant(2, static_cast<Eigen::Index>(predictor::kQuantiles.size()),
                                                        static_cast<double>(*forecast));
      return made;
    };
    const auto planned = planner_.plan(
        {.fleet = fleet_, .dataplane = fleet_.dataplanes[0], .stale = stale, .now = now_, .forecast = told});
    EXPECT_TRUE(planned) << planned.error().message;
    return planned->decisions.front();
  }

  model::Fleet fleet_ = small_fleet();
  UnixNanos now_{1'800'000'000'000'000'000};
  Planner planner_{{.hold_ns = 0}};
};

constexpr std::uint64_t kHigh = 10'000'000;
constexpr std::uint64_t kLow = 1'000'000;

TEST_F(PlannerTest, AForecastThatIsBelievedNarrows) {
  interval(kHigh, kHigh);
  interval(kLow, kLow);
  const auto last = interval(kLow, kLow);
  EXPECT_THAT(last.distrust, IsEmpty());
  EXPECT_EQ(last.want.value, kLow);
}

TEST_F(PlannerTest, AMissingForecastKeepsTheLimit) {
  interval(kHigh, kHigh);
  interval(std::nullopt, 0);
  EXPECT_GE(interval(std::nullopt, 0).want.value, kHigh);
}

TEST_F(PlannerTest, ReportsThatHaveStoppedKeepTheLimit) {
  interval(kHigh, kHigh);
  interval(kLow, kLow, true);
  const auto last = interval(kLow, kLow, true);
  EXPECT_GE(last.want.value, kHigh);
  EXPECT_THAT(last.distrust, HasSubstr("reports have stopped"));
}

TEST_F(PlannerTest, AForecastOfLessThanHalfOfWhatIsSeenKeepsTheLimit) {
  interval(kHigh, kHigh);
  interval(kLow, kHigh);
  const auto last = interval(kLow, kHigh);
  EXPECT_GE(last.want.value, kHigh);
  EXPECT_THAT(last.distrust, HasSubstr("less than half"));
}

TEST_F(PlannerTest, AForecastBeyondTheUplinkIsNoMoreThanTheUplink) {
  fleet_.vms[0].policy.cap.fill(kUnlimited);
  EXPECT_LE(interval(5 * megabits(1000).value, kLow).want, megabits(1000));
}

// .6 of what comes is not absurd, but wrong in each interval.
TEST_F(PlannerTest, ForecastsThatWereExceededTooOftenAreReplacedByWhatWasShown) {
  interval(kHigh * 6 / 10, kHigh);
  for (int i = 0; i < 2; ++i) EXPECT_THAT(interval(kHigh * 6 / 10, kHigh).distrust, IsEmpty());
  const auto found = interval(kHigh * 6 / 10, kHigh);
  EXPECT_THAT(found.distrust, HasSubstr("3 of the last 12 intervals were above their forecasts"));
  EXPECT_EQ(found.want.value, kHigh * 12 / 10);
}

TEST_F(PlannerTest, AnIntervalThatNobodyForecastIsNotHeldAgainstAForecast) {
  for (int i = 0; i < 8; ++i) {
    now_.value += static_cast<std::int64_t>(kIntervalNs);  // nothing was planned in between
    EXPECT_THAT(interval(kHigh * 6 / 10, kHigh).distrust, IsEmpty());
  }
}

}  // namespace
}  // namespace foreflow::app
