// SPDX-License-Identifier: Apache-2.0
// What comes from sources that are broken, from their samples to every model's answer: finite, in order, never above
// three times what was seen; or the reason why there is none.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/features/behaviour.h"
#include "predictor/models/burst_timer.h"
#include "predictor/models/forecasters.h"
#include "predictor/models/global/boosted.h"
#include "predictor/models/global/lstm.h"
#include "predictor/models/tail.h"
#include "predictor/select/blend.h"
#include "predictor/select/select_model.h"
#include "predictor/series/counter.h"
#include "predictor/series/grid.h"
#include "tests/unit/predictor/bursty_fleet.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::expect_promises_kept;
using testing::kDay;
using testing::kGap;
using testing::series;

constexpr std::int64_t kHour = 3'600;
constexpr std::size_t kHorizon = 30;
constexpr double kMostToPeak = 3;

SharedModels learned_models() {
  BoostedPlan boosted;
  boosted.trees.trees = 20;
  boosted.trees.least_rows = 20;
  boosted.bands = {{0, 0}, {1, 23}};
  LstmPlan lstm;
  lstm.shape.steps = 8;
  lstm.shape.cells = 4;
  lstm.shape.hidden = 8;
  lstm.bands = {{0, 0}, {1, 23}};
  lstm.epochs = 2;
  return {testing::trained_on_bursts(BoostedTrainer(boosted)), testing::trained_on_bursts(LstmTrainer(lstm))};
}

// All models there are, one of each.
const SharedModels& every_model() {
  static const SharedModels kAll = [] {
    SharedModels models = learned_models();
    models.push_back(demand_blend(models[0], kDay));
    for (auto& local : local_models(kDay)) models.push_back(std::move(local));
    for (const std::string_view name : classical_names()) models.push_back(make_classical(name));
    models.push_back(std::make_shared<BurstTimerModel>());
    models.push_back(std::make_shared<TailModel>());
    return models;
  }();
  return kAll;
}

double peak_of(const SeriesView& series) {
  double peak = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series.is_gap(i)) peak = std::max(peak, series.values[i]);
  return peak;
}

void expect_sound(const QuantileForecast& told, double peak, const std::string& model) {
  SCOPED_TRACE(model);
  expect_promises_kept(told, kHorizon);
  EXPECT_LE(told.values.maxCoeff(), kMostToPeak * peak);
}

// At once, and while the source goes on to be broken; the selected one among the local ones, too.
void expect_every_model_is_sound(const Series& bad) {
  const SeriesView past = bad.view();
  for (const auto& model : every_model()) {
    double peak = peak_of(past);
    const auto fitted = model->fit(past);
    expect_sound(fitted->forecast(kHorizon), peak, model->name());
    for (const double next : {kGap, -1.0, 0.0}) fitted->update(next, false);
    expect_sound(fitted->forecast(kHorizon), peak, model->name() + ", updated");
  }
  const Models candidates = local_models(kDay);
  const Choice choice = select_forecasting_model({past, {}}, candidates);
  EXPECT_LT(choice.model, candidates.size());
  EXPECT_FALSE(choice.reason.empty());
}

std::vector<double> usual(std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(i % kDay == 9 ? 5'000 : 100 + static_cast<double>(i % 7));
  return values;
}

TEST(BadInput, NotANumberIsAGap) {
  std::vector<double> values = usual(12 * kDay);
  for (std::size_t i = 0; i < values.size(); i += 5) values[i] = i % 2 == 0 ? kGap : HUGE_VAL;
  expect_every_model_is_sound(series(values, kDay));
  expect_every_model_is_sound(series(std::vector<double>(12 * kDay, kGap), kDay));
}

TEST(BadInput, ANegativeIsAGap) {
  std::vector<double> values = usual(12 * kDay);
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] = -1e9;
  expect_every_model_is_sound(series(values, kDay));
}

TEST(BadInput, AConstantIsForecastNearItself) {
  const Series constant = series(std::vector<double>(12 * kDay, 42), kDay);
  expect_every_model_is_sound(constant);
  for (const auto& model : every_model())
    EXPECT_GE(model->fit(constant.view())->forecast(1).values(0, 0), 42 / kMostToPeak) << model->name();
}

TEST(BadInput, ZerosAreForecastAsZero) { expect_every_model_is_sound(series(std::vector<double>(12 * kDay, 0), kDay)); }

TEST(BadInput, OnePointIsAnswerAndReason) {
  const Series only = series({7}, kDay);
  expect_every_model_is_sound(only);
  EXPECT_NE(select_forecasting_model({only.view(), {}}, local_models(kDay)).reason.find("too little history"),
            std::string::npos);
  EXPECT_NE(behaviour_v1(only.view()).error().message.find("not enough data"), std::string::npos);
}

// The median of what a VM is served by stays with the many; a mean, such as day_profile's, cannot.
TEST(BadInput, OnePointOfAMillionTimesTheRestMovesNoMedian) {
  std::vector<double> values = usual(12 * kDay);
  values[7 * kDay] = 1e8;
  const Series jumped = series(values, kDay);
  expect_every_model_is_sound(jumped);
  Models served = local_models(kDay);
  served.push_back(demand_blend(every_model()[0], kDay));
  served.push_back(seasonal_ensemble());
  for (const auto& model : served) EXPECT_LT(model->fit(jumped.view())->forecast(1).values(0, 0), 1e4) << model->name();
}

TEST(BadInput, AJumpOfAMillionInTheNewestPoint) {
  std::vector<double> values = usual(12 * kDay);
  values.back() = 1e8;
  expect_every_model_is_sound(series(values, kDay));
}

// Totals of 100 per hour and 5,000 at 9 o'clock, and a process that starts anew every other day.
TEST(BadInput, ACounterThatIsResetBecomesGapsNotBursts) {
  CounterDelta counter;
  GridBuilder grid({.step = kHour, .season = kDay});
  std::uint64_t total = 1'000'000'000;
  for (std::int64_t hour = 0; hour < 24 * 12; ++hour) {
    total = hour % 48 == 30 ? 0 : total + (hour % 24 == 9 ? 5'000 : 100);
    const std::optional<std::uint64_t> delta = counter.push(total);
    grid.add(hour * kHour, delta ? static_cast<double>(*delta) : kGap);
  }
  const Series counted = grid.take();
  EXPECT_EQ(peak_of(counted.view()), 5'000);
  EXPECT_TRUE(counted.view().is_gap(30));
  expect_every_model_is_sound(counted);
}

TEST(BadInput, GapsOfDaysStayGaps) {
  GridBuilder grid({.step = kHour, .season = kDay});
  const std::vector<double> values = usual(20 * kDay);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i / kDay % 5 < 2) grid.add(static_cast<std::int64_t>(i) * kHour, values[i]);
  const Series gaps = grid.take();
  EXPECT_TRUE(gaps.view().is_gap(3 * kDay));
  expect_every_model_is_sound(gaps);
}

TEST(BadInput, AClockThatStepsBackRepeatsNothing) {
  GridBuilder grid({.step = kHour, .season = kDay});
  const std::vector<double> values = usual(12 * kDay);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t stepped = i < 8 * kDay ? 0 : 2 * kHour;
    grid.add(static_cast<std::int64_t>(i) * kHour - stepped, values[i]);
  }
  EXPECT_EQ(grid.late(), 1U);  // the other hour falls into the slot that is open
  const Series back = grid.take();
  EXPECT_EQ(back.size(), values.size() - 2);
  expect_every_model_is_sound(back);
}

TEST(BadInput, AClockThatStepsForwardLeavesAGapOrBeginsAnew) {
  for (const std::int64_t days : {2, 400}) {
    GridBuilder grid({.step = kHour, .season = kDay, .longest_gap = 31 * kDay});
    const std::vector<double> values = usual(12 * kDay);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t stepped = i < 8 * kDay ? 0 : days * 24 * kHour;
      grid.add(static_cast<std::int64_t>(i) * kHour + stepped, values[i]);
    }
    EXPECT_EQ(grid.restarts(), days == 2 ? 0U : 1U);
    const Series forward = grid.take();
    EXPECT_EQ(forward.size(), days == 2 ? 14 * kDay : 4 * kDay);
    expect_every_model_is_sound(forward);
  }
}

}  // namespace
}  // namespace foreflow::predictor
