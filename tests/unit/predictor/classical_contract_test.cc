// SPDX-License-Identifier: Apache-2.0
// What every classical model answers to series that are not as they should be: never NaN, quantiles in order, nothing
// negative, nothing absurd.
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "predictor/models/forecasters.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::kGap;

constexpr std::size_t kSeason = 12;

struct Input {
  const char* name;
  std::function<Series()> make;
};

Series filled(std::size_t count, const std::function<double(std::size_t)>& value) {
  Series series(kSeason);
  for (std::size_t i = 0; i < count; ++i) series.push(value(i));
  return series;
}

double daily(std::size_t i) { return 1'000 + 400 * std::sin(static_cast<double>(i) * 2 * M_PI / kSeason); }

// Bursty, sparse demand, the same in each run.
Series bursty(std::size_t count) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> rate(8, 2);
  Series series(kSeason);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = random() % 5 == 0 ? kGap : random() % 3 == 0 ? 0 : rate(random);
    series.push(value, random() % 7 == 0);
  }
  return series;
}

const std::vector<Input>& inputs() {
  static const std::vector<Input> kInputs{
      {"Nothing", [] { return filled(0, daily); }},
      {"OnlyGaps", [] { return filled(300, [](std::size_t) { return kGap; }); }},
      {"OnePoint", [] { return filled(1, [](std::size_t) { return 7.0; }); }},
      {"TwoPoints", [] { return filled(2, daily); }},
      {"LessThanASeason", [] { return filled(20, daily); }},
      {"AConstant", [] { return filled(240, [](std::size_t) { return 42.0; }); }},
      {"AllZero", [] { return filled(240, [](std::size_t) { return 0.0; }); }},
      {"NegativesAndInfinities",
       [] { return filled(240, [](std::size_t i) { return i % 5 == 0   ? -3.0
                                                          : i % 7 == 0 ? INFINITY
                                                                       : daily(i); }); }},
      {"OneJumpOfAMillion", [] { return filled(240, [](std::size_t i) { return i == 150 ? 1e6 : 1.0; }); }},
      {"AJumpInTheLastPoint", [] { return filled(240, [](std::size_t i) { return i == 239 ? 1e9 : daily(i); }); }},
      {"GapsOfDays", [] { return filled(360, [](std::size_t i) { return i / 24 % 5 < 2 ? kGap : daily(i); }); }},
      {"AGapToTheEnd", [] { return filled(240, [](std::size_t i) { return i > 150 ? kGap : daily(i); }); }},
      {"AValueAfterALongGap", [] { return filled(240, [](std::size_t i) { return i < 239 ? kGap : 9.0; }); }},
      {"ExponentialGrowth",
       [] { return filled(240, [](std::size_t i) { return std::exp(static_cast<double>(i) / 20); }); }},
      {"AStraightLineDown", [] { return filled(240, [](std::size_t i) { return 240.0 - static_cast<double>(i); }); }},
      {"AlternatingZeros", [] { return filled(240, [](std::size_t i) { return i % 2 == 0 ? 0.0 : 1e8; }); }},
      {"TheLargestNumbers", [] { return filled(240, [](std::size_t i) { return i % 3 == 0 ? 1e300 : 1e299; }); }},
      {"TheSmallestNumbers", [] { return filled(240, [](std::size_t i) { return i % 3 == 0 ? 1e-300 : 0; }); }},
      {"ACounterReset", [] { return filled(240, [](std::size_t i) { return i < 120 ? 1e6 + daily(i) : daily(i); }); }},
      {"BurstsWithGapsAndLimits", [] { return bursty(240); }},
      {"AFewBurstsWithGapsAndLimits", [] { return bursty(40); }},
  };
  return kInputs;
}

double largest(const SeriesView& series) {
  double most = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series.is_gap(i)) most = std::max(most, series.values[i]);
  return most;
}

class ClassicalContract : public ::testing::TestWithParam<std::tuple<std::string_view, std::size_t>> {
 protected:
  std::unique_ptr<PathModel> model_ = make_classical(std::get<0>(GetParam()));
  Series series_ = inputs()[std::get<1>(GetParam())].make();
};

TEST_P(ClassicalContract, KeepsItsPromisesAtOnceAndWhileTheSeriesGoesOn) {
  const auto fitted = model_->fit(series_.view());
  double most = largest(series_.view());
  const QuantileForecast first = fitted->forecast(60);
  testing::expect_promises_kept(first, 60);
  EXPECT_LE(first.values.maxCoeff(), kPlausible * most);
  EXPECT_EQ(first.model, model_->name());
  for (const double value : {5.0, kGap, 1e7, -1.0, 0.0, 3.0}) {
    fitted->update(value, value == 3.0);
    if (value > most) most = value;
    const QuantileForecast forecast = fitted->forecast(30);
    testing::expect_promises_kept(forecast, 30);
    EXPECT_LE(forecast.values.maxCoeff(), kPlausible * most);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ClassicalContract,
                         ::testing::Combine(::testing::ValuesIn(classical_names()),
                                            ::testing::Range<std::size_t>(0, inputs().size())),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param)) + "_" +
                                  inputs()[std::get<1>(instance.param)].name;
                         });

class ClassicalModel : public ::testing::TestWithParam<std::string_view> {
 protected:
  std::unique_ptr<PathModel> model_ = make_classical(GetParam());
};

TEST_P(ClassicalModel, ForecastsAConstantAsItIs) {
  const Series constant = filled(240, [](std::size_t) { return 42.0; });
  const QuantileForecast forecast = model_->fit(constant.view())->forecast(60);
  EXPECT_NEAR(forecast.values.minCoeff(), 42, 1e-6);
  EXPECT_NEAR(forecast.values.maxCoeff(), 42, 1e-6);
}

TEST_P(ClassicalModel, ForecastsZerosAsZeros) {
  const Series zeros = filled(240, [](std::size_t) { return 0.0; });
  EXPECT_EQ(model_->fit(zeros.view())->forecast(60).values.maxCoeff(), 0);
}

TEST_P(ClassicalModel, AnUpdateIsAFitWithoutItsEstimation) {
  const Series whole = bursty(240 + 12);
  const auto updated = model_->fit(whole.view().first(240));
  for (std::size_t i = 240; i < whole.size(); ++i) updated->update(whole.view().values[i], whole.view().is_limited(i));
  const auto fitted = model_->fit(whole.view());
  const auto before = updated->forecast(24).values.col(0).mean(), after = fitted->forecast(24).values.col(0).mean();
  EXPECT_NEAR(std::log1p(before), std::log1p(after), 1.0);
}

TEST_P(ClassicalModel, CoversWhatItPromisesOnNoise) {
  std::mt19937_64 random(3);
  std::gamma_distribution<double> demand(4, 250);
  const Series whole = filled(1'200, [&](std::size_t i) { return daily(i) + demand(random); });
  const auto fitted = model_->fit(whole.view().first(600));
  int covered = 0;
  for (std::size_t i = 600; i < whole.size(); ++i) {
    covered += whole.view().values[i] <= fitted->forecast(1).values(0, 1);
    fitted->update(whole.view().values[i], false);
  }
  EXPECT_NEAR(covered / 600.0, .9, .04);
}

INSTANTIATE_TEST_SUITE_P(All, ClassicalModel, ::testing::ValuesIn(classical_names()),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace foreflow::predictor
