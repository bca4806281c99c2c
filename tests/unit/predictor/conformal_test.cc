// SPDX-License-Identifier: Apache-2.0
// Online correction: quantiles of any model become as frequent as they claim, one VM at a time.
#include "predictor/models/conformal.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/predictor/noise.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t k95 = 2, k99 = 3;

struct Seen {
  double above95 = 0;
  double above99 = 0;
};

// Shares of the last half of 20,000 uniform values from 0 to 1000 that lie above what `told` says of each.
template <typename Told>
Seen shares(Told told) {
  constexpr std::size_t kPoints = 20'000;
  testing::Noise noise(7);
  OnlineConformal correction;
  Seen seen;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double value = 1'000 * noise.next();
    const Quantiles row = told(i);
    const Quantiles corrected = correction.correct(row);
    if (i >= kPoints / 2) {
      seen.above95 += value > corrected[k95] ? 2.0 / kPoints : 0;
      seen.above99 += value > corrected[k99] ? 2.0 / kPoints : 0;
    }
    correction.learn(row, value);
  }
  return seen;
}

TEST(OnlineConformal, WidensAModelThatIsTooSure) {
  const Seen seen = shares([](std::size_t) { return Quantiles{500, 600, 650, 700, 750}; });
  EXPECT_NEAR(seen.above95, .05, .005);
  EXPECT_NEAR(seen.above99, .01, .003);
}

TEST(OnlineConformal, NarrowsAModelThatIsTooWide) {
  const Seen seen = shares([](std::size_t) { return Quantiles{500, 3e3, 4e3, 5e3, 6e3}; });
  EXPECT_NEAR(seen.above95, .05, .005);
  EXPECT_NEAR(seen.above99, .01, .006);
}

TEST(OnlineConformal, RecoversFromForecastsOfZero) {
  const Seen seen = shares([](std::size_t) { return Quantiles{}; });
  EXPECT_LT(seen.above95, .2);
}

TEST(OnlineConformal, StaysInOrderFiniteAndBoundedWhateverComes) {
  OnlineConformal correction;
  const Quantiles row{10, 20, 30, 40, 50};
  for (const double value : {0.0, 1e12, std::nan(""), -5.0, std::numeric_limits<double>::infinity(), 1e12, 1e12, 0.0}) {
    correction.learn(row, value);
    const Quantiles corrected = correction.correct(row);
    EXPECT_TRUE(std::ranges::is_sorted(corrected));
    EXPECT_GE(corrected.front(), 0);
    EXPECT_TRUE(std::isfinite(corrected.back()));
  }
  EXPECT_EQ(correction.points(), 5);
}

TEST(OnlineConformal, TakesALimitedValueBelowTheForecastForNoEvidence) {
  OnlineConformal held;
  OnlineConformal untouched;
  const Quantiles row{10, 20, 30, 40, 50};
  held.learn(row, 15, false);
  untouched.learn(row, 15, false);
  const Quantiles before = untouched.correct(row);
  held.learn(row, 1, true);
  EXPECT_EQ(held.correct(row), before);
}

TEST(LeadConformal, LearnsNothingBeforeTheForecastsTimeHasCome) {
  LeadConformal correction(3);
  const Quantiles row{10, 20, 30, 40, 50};
  for (int i = 0; i < 2; ++i) {
    correction.correct(row);
    correction.arrive(1'000);
  }
  EXPECT_EQ(correction.points(), 0);
  correction.correct(row);
  correction.arrive(1'000);
  EXPECT_EQ(correction.points(), 1);
  EXPECT_GT(correction.correct(row)[k95], 30);
}

}  // namespace
}  // namespace foreflow::predictor
