// SPDX-License-Identifier: Apache-2.0
// Models for what others do not see: bursts by the clock and the far tail.
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "predictor/models/burst_timer.h"
#include "predictor/models/tail.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::expect_promises_kept;
using testing::kGap;
using testing::series;

constexpr Eigen::Index kMedian = 0, k90 = 1, k95 = 2, k99 = 3, k999 = 4;

// Noise around 100 on 288 points a day; 9,000 at 3:00 of every second day, and at minute 20 of each hour 2,000.
Series timers(std::size_t days) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> noise(90, 110);
  Series series(288);
  for (std::size_t i = 0; i < days * 288; ++i)
    series.push(i % 576 == 36 ? 9'000 : i % 12 == 4 ? 2'000 + noise(random) : noise(random));
  return series;
}

TEST(BurstTimerModel, ExpectsABurstAtItsMinuteOfTheHourAndNoneElsewhere) {
  const QuantileForecast next = BurstTimerModel{}.fit(timers(14).view())->forecast(24);
  expect_promises_kept(next, 24);
  EXPECT_GT(next.values(4, kMedian), 2'000);
  EXPECT_GT(next.values(16, kMedian), 2'000);
  EXPECT_LT(next.values(6, kMedian), 111);
}

TEST(BurstTimerModel, ExpectsATimerOfEverySecondDayInTheUpperQuantiles) {
  const auto fitted = BurstTimerModel{}.fit(timers(21).view());
  const QuantileForecast day = fitted->forecast(288);
  EXPECT_LT(day.values(36, kMedian), 111);
  EXPECT_EQ(day.values(36, k95), 9'000);
  EXPECT_LT(day.values(150, k90), 2'111);
}

TEST(BurstTimerModel, FollowsTheClockAsTheSeriesGoesOn) {
  const Series known = timers(15);
  const auto fitted = BurstTimerModel{}.fit(known.view().first(14 * 288));
  for (std::size_t i = 14 * 288; i < 14 * 288 + 7; ++i) fitted->update(known.view().values[i], false);
  const QuantileForecast next = fitted->forecast(12);
  EXPECT_GT(next.values(9, kMedian), 2'000);
  EXPECT_LT(next.values(4, kMedian), 111);
}

TEST(BurstTimerModel, WithoutTimersIsWhatTheLastHoursWere) {
  std::vector<double> values(24 * 14, 50);
  for (std::size_t i = 24 * 14 - 3; i < values.size(); ++i) values[i] = 70;
  const QuantileForecast next = BurstTimerModel{}.fit(series(values).view())->forecast(3);
  EXPECT_EQ(next.values(0, k95), 70);
}

// The mean excess of a Pareto distribution at the middle of each of 10,000 equally probable parts stands for a sample.
std::vector<double> pareto(double shape, double scale, std::size_t count) {
  std::vector<double> sample;
  for (std::size_t i = 0; i < count; ++i) {
    const double above = 1 - (static_cast<double>(i) + .5) / static_cast<double>(count);
    sample.push_back(shape == 0 ? -scale * std::log(above) : scale * (std::pow(above, -shape) - 1) / shape);
  }
  return sample;
}

TEST(FitTail, RecoversTheDistributionThatASampleComesFrom) {
  for (const double shape : {-.4, -.2, 0., .1, .3}) {
    const auto fitted = fit_tail(pareto(shape, 7, 10'000));
    ASSERT_TRUE(fitted);
    EXPECT_NEAR(fitted->shape, shape, .02);
    EXPECT_NEAR(fitted->scale, 7, .15);
  }
}

// By hand: 1 - exp(-x / 2) and (1 + x / 4)^-2 (shape 1/2, scale 2).
TEST(FitTail, AnswersQuantilesOfExponentialAndParetoTails) {
  EXPECT_NEAR((ParetoTail{.shape = 0, .scale = 2}.exceeded_with(std::exp(-3))), 6, 1e-12);
  EXPECT_NEAR((ParetoTail{.shape = .5, .scale = 2}.exceeded_with(1. / 9)), 8, 1e-12);
  EXPECT_EQ((ParetoTail{.shape = .5, .scale = 2}.exceeded_with(1)), 0);
}

TEST(FitTail, SaysNothingOfFewOrEqualExcesses) {
  EXPECT_FALSE(fit_tail(std::vector<double>(kFewestExcesses - 1, 1)));
  EXPECT_FALSE(fit_tail(std::vector<double>(100, 3)));
}

// The log of the demand is exponential: its quantiles are known. 28 days hold two values above the .999 quantile.
TEST(TailModel, ComesNearerToTheFarQuantileThanTheSampleDoes) {
  double model = 0, sample = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> log_demand(2);
    std::vector<double> values;
    for (std::size_t i = 0; i < 24 * 28; ++i) values.push_back(std::expm1(log_demand(random)));
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    const double truth = std::log(1'000) / 2;
    const double far = 0.99;
    const double at99 = std::log(1 / (1 - far)) / 2;
    const QuantileForecast told = TailModel{}.fit(series(values).view())->forecast(1);
    expect_promises_kept(told, 1);
    EXPECT_NEAR(std::log1p(told.values(0, k99)), at99, .5);
    EXPECT_LT(std::log1p(told.values(0, k999)), truth + 2);
    model += std::pow(std::log1p(told.values(0, k99)) - at99, 2);
    sample += std::pow(std::log1p(sorted[sorted.size() * 99 / 100]) - at99, 2);
  }
  EXPECT_LT(model, sample);
}

TEST(SpecialModels, AnswerBadSeriesWithoutNanAndWithinReason) {
  std::vector<std::unique_ptr<Model>> models;
  models.push_back(std::make_unique<BurstTimerModel>());
  models.push_back(std::make_unique<TailModel>());
  std::vector<double> jump(24 * 14, 5);
  jump[200] = 5e6;
  const std::vector<std::vector<double>> inputs{
      {}, {kGap, kGap}, {7}, {-3, 4, -1}, std::vector<double>(300, 0), std::vector<double>(300, 42), jump};
  for (const auto& model : models)
    for (const auto& input : inputs) {
      const QuantileForecast told = model->fit(series(input).view())->forecast(30);
      expect_promises_kept(told, 30);
      const double peak = input.empty() ? 0 : *std::ranges::max_element(input);
      EXPECT_LE(told.values.maxCoeff(), std::isnan(peak) ? 0 : 3 * std::max(peak, 0.)) << model->name();
    }
}

}  // namespace
}  // namespace foreflow::predictor
