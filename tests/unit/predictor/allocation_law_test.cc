// SPDX-License-Identifier: Apache-2.0
// The law from evidence to an allocation, and the peaks that it weighs.
#include "predictor/optimize/allocation_law.h"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/features/usual_peaks.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

TEST(AllocationLaw, NeverAllocatesLessAtALargerKnob) {
  const Evidence evidence{.q95 = 10, .q99 = 100, .usual = 300, .hours = 50, .highest = 900};
  double before = 0;
  for (double knob = 0; knob <= kMostKnob; knob += .25) {
    const double now = allocation(evidence, knob);
    EXPECT_GE(now, before) << knob;
    before = now;
  }
}

TEST(AllocationLaw, ScalesWithTheVm) {
  const Evidence small{.q95 = 1e4, .q99 = 1e5, .usual = 3e5, .hours = 5e4, .highest = 9e5};
  const Evidence large{.q95 = 1e7, .q99 = 1e8, .usual = 3e8, .hours = 5e7, .highest = 9e8};
  for (const double knob : {0., 9., 17., kMostKnob})
    EXPECT_NEAR(allocation(large, knob) / allocation(small, knob), 1'000, 1) << knob;
}

TEST(AllocationLaw, WeighsTheHighestOnlyForTheStrictestPromises) {
  const Evidence calm{.q95 = 10, .q99 = 10, .usual = 10, .hours = 10, .highest = 10};
  Evidence burst_long_ago = calm;
  burst_long_ago.highest = 1e6;
  EXPECT_EQ(allocation(calm, 10), allocation(burst_long_ago, 10));
  EXPECT_GT(allocation(burst_long_ago, kMostKnob), 1e5);
}

TEST(AllocationLaw, TakesAKnobOutOfRangeAsTheNearest) {
  const Evidence evidence{.q95 = 1, .q99 = 2, .usual = 3, .hours = 4, .highest = 5};
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
  double highest = 0;
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
  peaks.highest = (largest(past, now - 7 * season, now) + largest(past, now - 28 * season, now)) / 2;
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
    ASSERT_EQ(peaks.highest(), expected.highest) << i;
  }
}

TEST(UsualPeaks, AreZeroBeforeTheFirstPoint) {
  const UsualPeaks peaks(288);
  EXPECT_EQ(peaks.usual(), 0);
  EXPECT_EQ(peaks.hours(), 0);
  EXPECT_EQ(peaks.highest(), 0);
}

}  // namespace
}  // namespace foreflow::predictor
