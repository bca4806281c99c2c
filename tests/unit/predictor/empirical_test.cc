// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/empirical.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/predictor/reference.h"

namespace foreflow::predictor {
namespace {

std::vector<Sample> exact(const std::vector<double>& values) {
  std::vector<Sample> samples;
  for (const double value : values) samples.push_back({value, false});
  return samples;
}

TEST(EmpiricalQuantiles, AgreeWithNumpy) {
  for (const auto& [sample, quantiles] : reference::kQuantileCases)
    EXPECT_EQ(empirical_quantiles(exact(sample)), quantiles) << "sample of " << sample.size();
}

// The largest keeps its own weight whether it is limited or not, so both ways of computing must agree.
TEST(EmpiricalQuantiles, DoNotChangeWhenOnlyTheLargestValueIsLimited) {
  for (const auto& [sample, quantiles] : reference::kQuantileCases) {
    std::vector<Sample> samples = exact(sample);
    std::ranges::max_element(samples, {}, &Sample::value)->limited = true;
    if (std::ranges::count(sample, std::ranges::max(sample)) > 1) continue;
    EXPECT_EQ(empirical_quantiles(samples), quantiles);
  }
}

TEST(EmpiricalQuantiles, OfNothingAreZero) { EXPECT_EQ(empirical_quantiles({}), Quantiles{}); }

// By hand (Kaplan-Meier): 1 has 1/4; the 1/4 of the limited 2 goes to 3 and 4, which have 3/8 each: F = .25 .625 1.
TEST(EmpiricalQuantiles, PassTheWeightOfALimitedValueToTheLargerOnes) {
  EXPECT_EQ(empirical_quantiles({{1, false}, {2, true}, {3, false}, {4, false}}), (Quantiles{3, 4, 4, 4, 4}));
  EXPECT_EQ(empirical_quantiles({{1, false}, {2, false}, {3, false}, {4, false}})[0], 2);
}

// 10 values, the 5 smallest limited: all weight goes to 6..10, so the median is that of 6..10.
TEST(EmpiricalQuantiles, NeverTakeALimitedValueForAnExactOne) {
  std::vector<Sample> samples;
  for (int i = 1; i <= 10; ++i) samples.push_back({static_cast<double>(i), i <= 5});
  EXPECT_EQ(empirical_quantiles(samples), (Quantiles{8, 10, 10, 10, 10}));
}

TEST(EmpiricalQuantiles, OfLimitedValuesAloneAreTheLargestOfThem) {
  EXPECT_EQ(empirical_quantiles({{7, true}, {3, true}, {5, true}}), (Quantiles{7, 7, 7, 7, 7}));
}

TEST(Finish, SortsRowsAndRemovesWhatNoDemandCanBe) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const QuantileForecast forecast = finish({{-5, nan, 7, 6, infinity}}, 3, "model");
  const std::vector<double> row(forecast.values.data(), forecast.values.data() + 5);
  EXPECT_EQ(row, (std::vector<double>{0, 0, 7, 7, 7}));
}

TEST(Finish, RaisesOnlyTheHighestQuantileToTheTail) {
  const QuantileForecast forecast = finish({{1, 2, 3, 4, 5}}, 9, "model");
  EXPECT_EQ(forecast.values(0, 3), 4);
  EXPECT_EQ(forecast.values(0, 4), 9);
}

}  // namespace
}  // namespace foreflow::predictor
