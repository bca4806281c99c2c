// SPDX-License-Identifier: Apache-2.0
// The contract that every model keeps, and what each is for.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "predictor/models/seasonal.h"
#include "predictor/models/window_quantile.h"
#include "predictor/select/select_model.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::expect_promises_kept;
using testing::kGap;
using testing::series;

constexpr Eigen::Index kMedian = 0, k95 = 2, kHighest = 4;

// Index into local_models().
class ModelContract : public ::testing::TestWithParam<std::size_t> {
 protected:
  QuantileForecast forecast(const Series& past, std::size_t horizon = 30) const {
    return models_[GetParam()]->fit(past.view())->forecast(horizon);
  }

 private:
  Models models_ = local_models(24);
};

TEST_P(ModelContract, ForecastsZeroFromNothing) {
  EXPECT_EQ(forecast(series({})).values.maxCoeff(), 0);
  EXPECT_EQ(forecast(series({kGap, kGap})).values.maxCoeff(), 0);
}

TEST_P(ModelContract, ForecastsTheOnlyPointItKnows) {
  const QuantileForecast only = forecast(series({7}));
  EXPECT_EQ(only.values.minCoeff(), 7);
  EXPECT_EQ(only.values.maxCoeff(), 7);
}

TEST_P(ModelContract, ForecastsAConstantAsItIs) {
  const QuantileForecast constant = forecast(series(std::vector<double>(24 * 9, 42)));
  EXPECT_EQ(constant.values.minCoeff(), 42);
  EXPECT_EQ(constant.values.maxCoeff(), 42);
}

TEST_P(ModelContract, ForecastsZerosAsZeros) {
  EXPECT_EQ(forecast(series(std::vector<double>(24 * 9, 0))).values.maxCoeff(), 0);
}

TEST_P(ModelContract, KeepsItsPromisesOnBurstySeriesWithGapsAndLimits) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> rate(8, 2);
  for (std::size_t length = 1; length < 24 * 10; length += 13) {
    Series past(24);
    for (std::size_t i = 0; i < length; ++i)
      past.push(random() % 5 == 0 ? kGap : random() % 3 == 0 ? 0 : rate(random), random() % 7 == 0);
    expect_promises_kept(forecast(past), 30);
  }
}

TEST_P(ModelContract, NeverPutsTheHighestQuantileBelowTheLastWeeksMaximum) {
  std::vector<double> values(24 * 7, 10);
  values[3] = 900;
  EXPECT_EQ(forecast(series(values)).values.col(kHighest).minCoeff(), 900);
}

TEST_P(ModelContract, OutlivesTheSeriesItWasFittedTo) {
  const Models models = local_models(24);
  std::unique_ptr<FittedModel> fitted;
  {
    const Series past = testing::timer(5);
    fitted = models[GetParam()]->fit(past.view());
  }
  expect_promises_kept(fitted->forecast(50), 50);
}

TEST_P(ModelContract, GoesOnWithTheSeries) {
  const Models models = local_models(24);
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> rate(8, 2);
  Series past(24);
  for (int i = 0; i < 30; ++i) past.push(rate(random));
  const std::unique_ptr<FittedModel> fitted = models[GetParam()]->fit(past.view());
  for (int i = 0; i < 24 * 12; ++i) fitted->update(i % 11 == 0 ? kGap : rate(random), i % 7 == 0);
  expect_promises_kept(fitted->forecast(50), 50);
}

TEST_P(ModelContract, ForecastsWhatLimitedValuesPointTo) {
  Series past(24);
  for (int i = 0; i < 24 * 4; ++i) past.push(i % 2 == 0 ? 100 : 60, i % 2 == 1);
  EXPECT_EQ(forecast(past).values.col(kMedian).minCoeff(), 100);
}

INSTANTIATE_TEST_SUITE_P(All, ModelContract, ::testing::Range<std::size_t>(0, 5),
                         [](const auto& instance) { return local_models(24)[instance.param]->name(); });

TEST(WindowQuantile, ForgetsWhatIsOlderThanItsWindow) {
  const QuantileForecast forecast = WindowQuantile("last", 2).fit(series({500, 1, 2}).view())->forecast(3);
  EXPECT_EQ(forecast.values.col(k95).maxCoeff(), 2);
  EXPECT_EQ(forecast.model, "last");
}

TEST(WindowQuantile, KnowsAfterUpdatesWhatAFitToAllOfItKnows) {
  std::mt19937_64 random(3);
  Series past(24);
  for (int i = 0; i < 10; ++i) past.push(static_cast<double>(random() % 1'000));
  const WindowQuantile model("last_day", 24);
  const std::unique_ptr<FittedModel> going_on = model.fit(past.view());
  for (int i = 0; i < 24 * 20; ++i) {
    const double value = i % 5 == 0 ? kGap : static_cast<double>(random() % 1'000);
    going_on->update(value, i % 3 == 0);
    past.push(value, i % 3 == 0);
  }
  EXPECT_TRUE((going_on->forecast(4).values == model.fit(past.view())->forecast(4).values).all());
}

TEST(Seasonal, ForecastsATimersBurstInItsSlotOnly) {
  const Series past = testing::timer(8);
  const QuantileForecast forecast = Seasonal({.periods = 7, .neighbours = 0}).fit(past.view())->forecast(48);
  for (Eigen::Index lead = 0; lead < 48; ++lead)
    EXPECT_EQ(forecast.values(lead, kMedian), lead % 24 == 9 ? 5'000 : 100) << "lead " << lead;
}

TEST(Seasonal, ForecastsByTheLastHoursUntilASlotHasAPast) {
  const QuantileForecast forecast = Seasonal({}).fit(series({1, 2, 3, 4, 5, 6}, 24).view())->forecast(4);
  EXPECT_EQ(forecast.values.col(k95).maxCoeff(), 6);
  EXPECT_EQ(forecast.values.col(kMedian).maxCoeff(), 4);
}

}  // namespace
}  // namespace foreflow::predictor
