// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "predictor/evaluate/pinball.h"
#include "predictor/evaluate/rolling_origin.h"
#include "predictor/models/empirical.h"
#include "predictor/models/window_quantile.h"
#include "predictor/select/select_model.h"
#include "tests/unit/predictor/reference.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using ::testing::HasSubstr;
using testing::kGap;
using testing::series;
using ::testing::StartsWith;

TEST(Pinball, CostsTauPerUnitTooLowAndTheRestPerUnitTooHigh) {
  EXPECT_DOUBLE_EQ(pinball(.9, 100, 80), 18);
  EXPECT_DOUBLE_EQ(pinball(.9, 80, 100), 2);
  EXPECT_DOUBLE_EQ(pinball(.9, 80, 80), 0);
}

TEST(Pinball, OfALimitedValueCostsNothingWhereNothingIsKnown) {
  EXPECT_DOUBLE_EQ(pinball_limited(.9, 100, 80), 18);
  EXPECT_DOUBLE_EQ(pinball_limited(.9, 80, 100), 0);
}

// Forecasts the same quantiles from every origin.
Forecaster fixed(const Quantiles& quantiles) {
  return [quantiles](const SeriesView&, std::size_t horizon) {
    return finish(std::vector<Quantiles>(horizon, quantiles), 0, "fixed");
  };
}

TEST(RollingOrigin, AgreesWithNumpyOnLossAndCoverage) {
  const Series past = series(reference::kRollingSeries);
  const WindowQuantile model("last_day", 24);
  const Score score = rolling_origin(
      past.view(), {.horizon = 6, .origins = 8, .stride = 6, .warm_up = 24},
      [&model](const SeriesView& seen, std::size_t horizon) { return model.fit(seen)->forecast(horizon); });
  EXPECT_EQ(score.points, 48);
  for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
    EXPECT_NEAR(score.loss[q], reference::kRollingLosses[q], 1e-9 * reference::kRollingLosses[q]);
    EXPECT_NEAR(score.coverage[q], reference::kRollingCoverage[q], 1e-12);
  }
}

// By hand: values 10 and 30 against a forecast of 20 throughout: (.5 * 10 + .5 * 10) / 2 at the median.
TEST(RollingOrigin, AveragesOverLeadsAndOrigins) {
  const Score score = rolling_origin(
      series({0, 10, 30}).view(), {.horizon = 1, .origins = 2, .stride = 1, .warm_up = 1}, fixed({20, 20, 20, 20, 20}));
  EXPECT_EQ(score.origins, 2);
  EXPECT_DOUBLE_EQ(score.loss[0], 5);
  EXPECT_DOUBLE_EQ(score.loss[1], (.1 * 10 + .9 * 10) / 2);
  EXPECT_DOUBLE_EQ(score.coverage[0], .5);
}

TEST(RollingOrigin, ShowsAForecasterOnlyWhatCameBefore) {
  const Series past = series({1, 2, 3, 4, 5, 6, 7, 8});
  std::vector<std::size_t> seen;
  rolling_origin(past.view(), {.horizon = 2, .origins = 9, .stride = 2, .warm_up = 3},
                 [&seen](const SeriesView& view, std::size_t horizon) {
                   seen.push_back(view.size());
                   return finish(std::vector<Quantiles>(horizon), 0, "zero");
                 });
  EXPECT_EQ(seen, (std::vector<std::size_t>{6, 4}));
}

TEST(RollingOrigin, LeavesGapsOut) {
  const Score score = rolling_origin(series({1, 1, kGap, 3}).view(),
                                     {.horizon = 2, .origins = 1, .stride = 1, .warm_up = 1}, fixed({1, 1, 1, 1, 1}));
  EXPECT_EQ(score.points, 1);
  EXPECT_DOUBLE_EQ(score.loss[0], 1);
}

TEST(RollingOrigin, CountsALimitedValueAboveTheForecastAsAViolation) {
  Series past = series({1});
  past.push(50, true);
  past.push(50, true);
  const RollingOrigin plan{.horizon = 2, .origins = 1, .stride = 1, .warm_up = 1};
  EXPECT_DOUBLE_EQ(rolling_origin(past.view(), plan, fixed({40, 60, 60, 60, 60})).loss[0], 5);
  EXPECT_DOUBLE_EQ(rolling_origin(past.view(), plan, fixed({40, 60, 60, 60, 60})).loss[1], 0);
  EXPECT_DOUBLE_EQ(rolling_origin(past.view(), plan, fixed({40, 60, 60, 60, 60})).coverage[0], 0);
}

TEST(RollingOrigin, SaysWhenTheSeriesIsTooShort) {
  EXPECT_EQ(rolling_origin(series({1, 2, 3}).view(), {.horizon = 12}, fixed({})).points, 0);
}

TEST(SelectForecastingModel, TakesSeasonalForATimerAndSaysWhy) {
  const Models models = local_models(24);
  const Choice choice = select_forecasting_model({testing::timer(14).view(), {.horizon = 24, .stride = 5}}, models);
  EXPECT_EQ(models[choice.model]->name(), "seasonal");
  EXPECT_THAT(choice.reason, StartsWith("seasonal: mean pinball loss "));
  EXPECT_THAT(choice.reason,
              HasSubstr(" over 24 origins; windows left out, the time of day explains 1 of the variance"));
  EXPECT_TRUE(std::isinf(choice.losses[0]));
}

TEST(SelectForecastingModel, TriesAllWhereTheTimeOfDayExplainsLittle) {
  std::vector<double> values;
  for (std::size_t i = 0; i < 24 * 14; ++i) values.push_back(100 + static_cast<double>(i * 7919 % 101));
  const Models models = local_models(24);
  const Choice choice = select_forecasting_model({series(values).view(), {}}, models);
  EXPECT_TRUE(std::ranges::none_of(choice.losses, [](double loss) { return std::isinf(loss); }));
  EXPECT_THAT(choice.reason, HasSubstr(" over 24 origins; "));
}

TEST(SelectForecastingModel, TriesWindowsWhereNothingElseCompetes) {
  Models windows;
  windows.push_back(std::make_unique<WindowQuantile>("short", 4));
  windows.push_back(std::make_unique<WindowQuantile>("long", 48));
  const Choice choice = select_forecasting_model({testing::timer(14).view(), {.horizon = 24, .stride = 5}}, windows);
  EXPECT_EQ(choice.losses.size(), 2u);
  EXPECT_TRUE(std::isfinite(choice.losses[0]) && std::isfinite(choice.losses[1]));
}

TEST(SelectForecastingModel, TakesTheShortestWindowForARisingLevel) {
  std::vector<double> values;
  values.reserve(24 * 10);
  for (int i = 0; i < 24 * 10; ++i) values.push_back(100 * i);
  const Models models = local_models(24);
  const Choice choice =
      select_forecasting_model({series(values).view(), {.horizon = 4, .origins = 10, .stride = 2}}, models);
  EXPECT_EQ(models[choice.model]->name(), "last_hour");
}

TEST(SelectForecastingModel, TakesTheSimplestWithTooLittleHistoryAndSaysSo) {
  const Models models = local_models(24);
  const Choice choice = select_forecasting_model({series({1, 2, 3}).view(), {}}, models);
  EXPECT_EQ(choice.model, 0);
  EXPECT_EQ(choice.reason, "last_hour: too little history to compare models (3 points, 36 are needed)");
}

TEST(SelectForecastingModel, TakesTheFirstOfEqualModels) {
  const Models models = local_models(24);
  EXPECT_EQ(select_forecasting_model({series(std::vector<double>(24 * 9, 5)).view(), {}}, models).model, 0);
}

}  // namespace
}  // namespace foreflow::predictor
