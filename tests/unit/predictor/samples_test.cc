// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/samples.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::kGap;
using testing::series;

std::vector<double> values(const std::vector<Sample>& samples) {
  std::vector<double> result;
  for (const Sample& sample : samples) result.push_back(sample.value);
  std::ranges::sort(result);
  return result;
}

using Values = std::vector<double>;

TEST(Series, KeepsWhatNoDemandCanBeAsAGap) {
  Series kept(24);
  kept.push(-1);
  kept.push(std::numeric_limits<double>::infinity(), true);
  EXPECT_TRUE(kept.view().is_gap(0));
  EXPECT_TRUE(kept.view().is_gap(1));
  EXPECT_FALSE(kept.view().is_limited(1));
}

TEST(Newest, SkipsGapsAndKeepsTheMarkOfLimitedValues) {
  Series kept = series({1, 2, kGap, 3});
  kept.push(4, true);
  EXPECT_EQ(newest(kept.view(), 3), (std::vector<Sample>{{4, true}, {3, false}, {2, false}}));
}

TEST(Newest, ReturnsAllOfAShortSeries) { EXPECT_EQ(values(newest(series({1, 2}).view(), 10)), (Values{1, 2})); }

// Three periods of 4 points; the next point is slot 0.
TEST(SameSlot, TakesTheSlotOfFormerPeriods) {
  const Series kept = series({10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33}, 4);
  EXPECT_EQ(values(same_slot(kept.view(), 0, {.periods = 7, .neighbours = 0})), (Values{10, 20, 30}));
  EXPECT_EQ(values(same_slot(kept.view(), 2, {.periods = 2, .neighbours = 0})), (Values{22, 32}));
}

TEST(SameSlot, TakesNeighboursThatAreInThePast) {
  const Series kept = series({10, 11, 12, 13, 20, 21, 22, 23}, 4);
  EXPECT_EQ(values(same_slot(kept.view(), 0, {.periods = 7, .neighbours = 1})), (Values{10, 11, 13, 20, 21}));
  EXPECT_EQ(values(same_slot(kept.view(), 3, {.periods = 7, .neighbours = 1})), (Values{10, 12, 13, 20, 22, 23}));
}

TEST(SameSlot, LooksFurtherBackForLeadsBeyondAPeriod) {
  const Series kept = series({10, 11, 12, 13, 20, 21, 22, 23}, 4);
  EXPECT_EQ(values(same_slot(kept.view(), 9, {.periods = 7, .neighbours = 0})), (Values{11, 21}));
}

TEST(SameSlot, IsEmptyBeforeTheFirstPeriodIsOver) {
  EXPECT_TRUE(same_slot(series({1, 2, 3}, 24).view(), 0, {.periods = 7, .neighbours = 1}).empty());
}

TEST(RecentMax, LooksAtTheNewestPointsOnly) {
  EXPECT_EQ(recent_max(series({9, 1, kGap, 2}).view(), 3), 2);
  EXPECT_EQ(recent_max(series({9, 1, kGap, 2}).view(), 30), 9);
  EXPECT_EQ(recent_max(series({}).view(), 3), 0);
}

}  // namespace
}  // namespace foreflow::predictor
