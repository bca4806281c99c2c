// SPDX-License-Identifier: Apache-2.0
// From samples as they come to an even grid, and to coarser ones.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "predictor/series/calendar.h"
#include "predictor/series/counter.h"
#include "predictor/series/grid.h"
#include "predictor/series/resample.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::kGap;
using testing::series;

std::vector<double> values(const Series& series) { return {series.view().values.begin(), series.view().values.end()}; }

TEST(Calendar, KnowsADateOfThisCentury) {
  // 2026-02-28 23:59:30 UTC, a Saturday.
  EXPECT_EQ(calendar_place(1'772'323'170),
            (CalendarPlace{.second_of_day = 86'370, .minute_of_hour = 59, .weekday = 5}));
}

TEST(Calendar, GoesOnEvenlyBefore1970) {
  EXPECT_EQ(calendar_place(-1), (CalendarPlace{.second_of_day = 86'399, .minute_of_hour = 59, .weekday = 2}));
}

TEST(Calendar, FollowsTheZone) { EXPECT_EQ(calendar_place(0, -1), calendar_place(-1)); }

TEST(CounterDelta, KnowsNothingFromTheFirstTotalAndAfterAReset) {
  CounterDelta delta;
  EXPECT_EQ(delta.push(1'000), std::nullopt);
  EXPECT_EQ(delta.push(1'500), 500U);
  EXPECT_EQ(delta.push(20), std::nullopt);
  EXPECT_EQ(delta.push(25), 5U);
}

TEST(CounterDelta, CountsOnOverTheTopOf32Bits) {
  CounterDelta delta(32);
  delta.push(4'294'967'290U);
  EXPECT_EQ(delta.push(4), 10U);
}

TEST(CounterDelta, TakesAFallFromHalfWayForAReset) {
  CounterDelta delta(32);
  delta.push(1'000'000);
  EXPECT_EQ(delta.push(4), std::nullopt);
}

TEST(GridBuilder, AveragesASlotAndLeavesGapsBetween) {
  GridBuilder grid({.step = 10, .season = 6});
  grid.add(100, 1);
  grid.add(109, 3);
  grid.add(130, 7, true);
  const Series made = grid.take();
  ASSERT_EQ(made.size(), 4U);
  EXPECT_EQ(made.view().values[0], 2);
  EXPECT_TRUE(made.view().is_gap(1) && made.view().is_gap(2));
  EXPECT_EQ(made.view().values[3], 7);
  EXPECT_TRUE(made.view().is_limited(3));
  EXPECT_EQ(made.view().phase, 10U % 6);
}

TEST(GridBuilder, DropsAndCountsWhatAClockThatStepsBackRepeats) {
  GridBuilder grid({.step = 10});
  grid.add(100, 1);
  grid.add(110, 2);
  grid.add(55, 99);
  grid.add(120, 3);
  EXPECT_EQ(grid.late(), 1U);
  EXPECT_EQ(values(grid.take()), (std::vector<double>{1, 2, 3}));
}

TEST(GridBuilder, StartsAnewAfterAClockThatStepsFarForward) {
  GridBuilder grid({.step = 10, .season = 6, .longest_gap = 100});
  grid.add(100, 1);
  grid.add(std::int64_t{1} << 60, 2);
  EXPECT_EQ(grid.restarts(), 1U);
  EXPECT_EQ(values(grid.take()), std::vector<double>{2});
}

TEST(GridBuilder, TakesWhatNoDemandCanBeForAGap) {
  GridBuilder grid({.step = 10});
  grid.add(0, -1);
  grid.add(10, kGap);
  grid.add(20, std::numeric_limits<double>::infinity());
  const Series made = grid.take();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(made.view().is_gap(i));
}

TEST(GridBuilder, WithoutSamplesIsEmpty) { EXPECT_EQ(GridBuilder({}).take().size(), 0U); }

TEST(Resample, TakesMeanMaximumAndQuantileOfBlocks) {
  const Series fine = series({1, 2, 6, 4, 4, 4, 9});
  EXPECT_EQ(values(resample_mean(fine.view(), 3)), (std::vector<double>{3, 4}));
  EXPECT_EQ(values(resample_max(fine.view(), 3)), (std::vector<double>{6, 4}));
  EXPECT_EQ(values(resample_quantile(fine.view(), 3, .5)), (std::vector<double>{2, 4}));
  EXPECT_EQ(resample_mean(fine.view(), 3).view().season, 8U);
}

TEST(Resample, MakesAGapOfGapsOnlyAndKeepsLimits) {
  Series fine(4);
  fine.push_gap();
  fine.push(5, true);
  fine.push_gap();
  fine.push_gap();
  const Series coarse = resample_mean(fine.view(), 2);
  EXPECT_EQ(coarse.view().values[0], 5);
  EXPECT_TRUE(coarse.view().is_limited(0));
  EXPECT_TRUE(coarse.view().is_gap(1));
}

TEST(Resample, CountsBlocksFromTheStartOfThePeriod) {
  Series fine(6, 2);
  for (const double value : {1., 2., 3., 4., 5.}) fine.push(value);
  const Series coarse = resample_max(fine.view(), 3);  // places 2 | 3 4 5 | 0 ...
  EXPECT_EQ(values(coarse), (std::vector<double>{1, 4}));
  EXPECT_EQ(coarse.view().phase, 0U);
}

TEST(Log1p, KeepsZerosGapsAndLimits) {
  Series fine(4);
  fine.push(0);
  fine.push_gap();
  fine.push(std::exp(2.) - 1, true);
  const Series logs = log1p(fine.view());
  EXPECT_EQ(logs.view().values[0], 0);
  EXPECT_TRUE(logs.view().is_gap(1));
  EXPECT_NEAR(logs.view().values[2], 2, 1e-12);
  EXPECT_TRUE(logs.view().is_limited(2));
}

}  // namespace
}  // namespace foreflow::predictor
