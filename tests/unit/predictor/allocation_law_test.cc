// SPDX-License-Identifier: Apache-2.0
// The law from evidence to an allocation, and the peaks that it weighs.
#include "predictor/optimize/allocation_law.h"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/features/usual_peaks.h"
#include "predictor/optimize/learn_knobs.h"
#include "predictor/select/select_model.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

TEST(AllocationLaw, NeverAllocatesLessAtALargerKnob) {
  const Evidence evidence{
      .q90 = 10, .q99 = 100, .usual = 300, .hours = 50, .swing = 40, .day = 400, .week = 900, .month = 950};
  double before = 0;
  for (double knob = 0; knob <= kMostKnob; knob += .25) {
    const double now = allocation(evidence, knob);
    EXPECT_GE(now, before) << knob;
    before = now;
  }
}

TEST(AllocationLaw, ScalesWithTheVm) {
  const Evidence small{
      .q90 = 1e4, .q99 = 1e5, .usual = 3e5, .hours = 5e4, .swing = 4e4, .day = 4e5, .week = 9e5, .month = 9e5};
  const Evidence large{
      .q90 = 1e7, .q99 = 1e8, .usual = 3e8, .hours = 5e7, .swing = 4e7, .day = 4e8, .week = 9e8, .month = 9e8};
  for (const double knob : {0., 9., 17., kMostKnob})
    EXPECT_NEAR(allocation(large, knob) / allocation(small, knob), 1'000, 1) << knob;
}

TEST(AllocationLaw, WeighsTheHighestOnlyForTheStrictestPromises) {
  const Evidence calm{.q90 = 10, .q99 = 10, .usual = 10, .hours = 10, .day = 10, .week = 10, .month = 10};
  Evidence burst_long_ago = calm;
  burst_long_ago.week = burst_long_ago.month = 1e6;
  EXPECT_EQ(allocation(calm, 10), allocation(burst_long_ago, 10));
  EXPECT_GT(allocation(burst_long_ago, kMostKnob), 1e5);
}

TEST(AllocationLaw, TakesAKnobOutOfRangeAsTheNearest) {
  const Evidence evidence{.q90 = 1, .q99 = 2, .usual = 3, .hours = 4, .week = 5, .month = 6};
  EXPECT_EQ(allocation(evidence, -1), allocation(evidence, 0));
  EXPECT_EQ(allocation(evidence, 99), allocation(evidence, kMostKnob));
}

TEST(AllocationLaw, ChoosesTheKnobThatCameNearestToThePromise) {
  const std::vector<double> unserved{.2, .05, .009, .001};
  EXPECT_EQ(knob_for(unserved, .01), 2U);
  EXPECT_EQ(knob_for(unserved, .0001), 3U);
  EXPECT_EQ(knob_for({{.3, .011, .006, 0.}}, .01), 1U);
  EXPECT_EQ(knob_for({}, .01), 0U);
}

// The same by looking at every point of the past.
struct Peaks {
  double usual = 0;
  double hours = 0;
  double day = 0;
  double week = 0;
  double month = 0;
};

double largest(const std::vector<double>& values, std::ptrdiff_t first, std::ptrdiff_t end) {
  double most = 0;
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(first, 0); i < std::min(end, std::ssize(values)); ++i)
    most = std::max(most, std::isnan(values[static_cast<std::size_t>(i)]) ? 0 : values[static_cast<std::size_t>(i)]);
  return most;
}

Peaks reference(const std::vector<double>& past, std::ptrdiff_t season) {
  const std::ptrdiff_t now = std::ssize(past);
  const std::ptrdiff_t half = season / 48;
  Peaks peaks;
  peaks.usual = largest(past, now - season / 12, now);
  for (std::ptrdiff_t day = 1; day <= 7 && day * season <= now; ++day)
    peaks.usual = std::max(peaks.usual, largest(past, now - day * season - half, now - day * season + half + 1));
  peaks.hours = largest(past, now - season / 8, now);
  peaks.day = largest(past, now - season, now);
  peaks.week = largest(past, now - 7 * season, now);
  peaks.month = largest(past, now - 28 * season, now);
  return peaks;
}

TEST(UsualPeaks, AreThoseOfTheWholePast) {
  constexpr std::size_t kSeason = 96;
  std::vector<double> past;
  UsualPeaks peaks(kSeason);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < 40 * kSeason; ++i) {
    state = state * 1'664'525U + 1'013'904'223U;
    const std::uint32_t drawn = state >> 16U;
    const double value = drawn % 11 == 0 ? testing::kGap : drawn % 50 == 0 ? drawn : drawn % 100;
    past.push_back(value);
    peaks.push(value);
    if (i % 37 != 0) continue;
    const Peaks expected = reference(past, kSeason);
    ASSERT_EQ(peaks.usual(), expected.usual) << i;
    ASSERT_EQ(peaks.hours(), expected.hours) << i;
    ASSERT_EQ(peaks.day(), expected.day) << i;
    ASSERT_EQ(peaks.week(), expected.week) << i;
    ASSERT_EQ(peaks.month(), expected.month) << i;
  }
}

class Knobs : public ::testing::Test {
 protected:
  // Bursts at random: of one in 20 points, up to 40 times the level.
  static Series restless(std::size_t points, std::uint32_t seed) {
    testing::Noise noise(seed);
    Series series(24);
    for (std::size_t i = 0; i < points; ++i) {
      const double level = 1'000 * (.5 + noise.next());
      series.push(noise.next() < .05 ? level * 40 * noise.next() : level);
    }
    return series;
  }
  const Models models_ = local_models(24);
};

TEST_F(Knobs, KeepWhatTheyPromiseOnDaysThatTheyWereNotLearnedFrom) {
  Exceedance learned, later;
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const Series series = restless(60 * 24, seed);
    learned.add(exceedance(series.view().first(40 * 24), 20 * 24, 2, *models_[0]));
    later.add(exceedance(series.view(), 40 * 24, 2, *models_[0]));
  }
  EXPECT_EQ(learned.points, 8u * 20 * 24);
  double before = -1;
  for (const double quantile : {.9, .95, .99}) {
    const auto knob = knob_for_quantile(learned, quantile);
    ASSERT_TRUE(knob);
    EXPECT_GE(*knob, before);
    before = *knob;
    const auto whole = std::min(static_cast<std::size_t>(*knob), Exceedance::kKnobs - 2);
    const auto above = std::lerp(static_cast<double>(later.above[whole]), static_cast<double>(later.above[whole + 1]),
                                 *knob - static_cast<double>(whole));
    EXPECT_LE(above / static_cast<double>(later.points), 1.5 * (1 - quantile)) << quantile;
  }
  EXPECT_GT(before, 0) << "the least knob promises little";
}

TEST_F(Knobs, JudgeNeitherGapsNorLowerBounds) {
  Series series = restless(10 * 24, 1);
  for (int i = 0; i < 24; ++i) series.push_gap();
  for (int i = 0; i < 24; ++i) series.push(1e9, true);
  EXPECT_EQ(exceedance(series.view(), 10 * 24, 2, *models_[0]).points, 0u);
  EXPECT_EQ(exceedance(series.view(), 9 * 24, 2, *models_[0]).points, 24u);
  EXPECT_EQ(exceedance(series.view(), 12 * 24, 2, *models_[0]).points, 0u) << "nothing follows";
}

TEST_F(Knobs, NeedAsManyPointsAsAPromiseIsAbout) {
  Exceedance seen{.points = 999};
  seen.above[0] = 6;
  EXPECT_EQ(knob_for_quantile(seen, .999), std::nullopt);
  EXPECT_EQ(knob_for_quantile(seen, .99), 0);
  seen.above[0] = 4;
  EXPECT_EQ(knob_for_quantile(seen, .99), std::nullopt) << "the least is far stricter than that";
  seen.above.fill(2);
  seen.above[0] = seen.above[1] = 18;  // of 999 points 9.99 may be above .99
  EXPECT_NEAR(*knob_for_quantile(seen, .99), 1.5, .01);
  seen.above.fill(999);
  EXPECT_EQ(knob_for_quantile(seen, .99), kMostKnob) << "nothing is enough; the most there is";
}

TEST(UsualPeaks, AreZeroBeforeTheFirstPoint) {
  const UsualPeaks peaks(288);
  EXPECT_EQ(peaks.usual(), 0);
  EXPECT_EQ(peaks.hours(), 0);
  EXPECT_EQ(peaks.day(), 0);
  EXPECT_EQ(peaks.week(), 0);
  EXPECT_EQ(peaks.month(), 0);
  EXPECT_EQ(peaks.swing(), 0);
}

TEST(UsualPeaks, SwingAsFarAsValuesLatelyDid) {
  UsualPeaks calm(96), restless(96), calmed(96);
  for (int i = 0; i < 96; ++i) {
    calm.push(100);
    restless.push(i % 2 == 0 ? 50 : 150);
    calmed.push(i < 48 && i % 2 == 0 ? 50 : 150);
  }
  EXPECT_NEAR(calm.swing(), 0, 1e-9);
  EXPECT_NEAR(restless.swing(), 50, 10);
  EXPECT_LT(calmed.swing(), 1);
}

}  // namespace
}  // namespace foreflow::predictor
