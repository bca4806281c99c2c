// SPDX-License-Identifier: Apache-2.0
// Several models as one: who has been right lately is heard.
#include "predictor/select/blend.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "predictor/models/empirical.h"
#include "predictor/models/window_quantile.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using ::testing::AllOf;
using testing::expect_promises_kept;
using ::testing::HasSubstr;
using testing::kGap;
using ::testing::Not;
using testing::series;
using testing::timer;

constexpr std::size_t kDay = 24;
constexpr Eigen::Index kMedian = 0;

// Says the same whatever it has seen.
class Stubborn final : public Model {
 public:
  Stubborn(std::string name, double value) : name_(std::move(name)), value_(value) {}
  std::string name() const override { return name_; }
  std::unique_ptr<FittedModel> fit(const SeriesView&) const override { return std::make_unique<Said>(value_); }

 private:
  struct Said final : FittedModel {
    explicit Said(double value) : told(value) {}
    QuantileForecast forecast(std::size_t horizon) const override {
      Quantiles row{};
      row.fill(told);
      return finish(std::vector<Quantiles>(horizon, row), 0, "stubborn");
    }
    void update(double, bool) override {}
    double told;
  };
  std::string name_;
  double value_;
};

std::unique_ptr<Model> blend_of(SharedModels members) {
  return std::make_unique<Blend>("blend", std::move(members), blend_plan(kDay));
}

TEST(Blend, ListensToTheMemberThatHasBeenRight) {
  const auto blend = blend_of({std::make_shared<Stubborn>("far", 900), std::make_shared<Stubborn>("near", 101)});
  const QuantileForecast told = blend->fit(series(std::vector<double>(240, 100.0)).view())->forecast(kDay);
  expect_promises_kept(told, kDay);
  EXPECT_NEAR(told.values(0, kMedian), 101, 1e-6);
  EXPECT_THAT(told.model, AllOf(HasSubstr("near"), Not(HasSubstr("far"))));
}

TEST(Blend, AveragesMembersThatAreEquallyRight) {
  const auto blend = blend_of({std::make_shared<Stubborn>("a", 99), std::make_shared<Stubborn>("b", 99)});
  const QuantileForecast told = blend->fit(series(std::vector<double>(240, 100.0)).view())->forecast(1);
  EXPECT_NEAR(told.values(0, kMedian), 99, 1e-6);
  EXPECT_THAT(told.model, AllOf(HasSubstr("a"), HasSubstr("b")));
}

TEST(Blend, LeavesTheWordToTheFirstMemberWhereNothingCanBeCompared) {
  const auto blend = blend_of({std::make_shared<Stubborn>("first", 7), std::make_shared<Stubborn>("second", 1)});
  EXPECT_NEAR(blend->fit(series({1, 1, 1}).view())->forecast(1).values(0, kMedian), 7, 1e-9);
}

TEST(DemandBlend, ExpectsATimerAtItsHourAndQuietOtherwise) {
  const auto fitted = demand_blend(nullptr, kDay)->fit(timer(20).view());
  const QuantileForecast day = fitted->forecast(kDay);
  EXPECT_NEAR(day.values(9, kMedian), 5'000, 500);
  EXPECT_NEAR(day.values(15, kMedian), 100, 10);
}

TEST(DemandBlend, KeepsItsPromisesOnBadSeries) {
  testing::Noise noise(3);
  std::vector<double> gaps;
  for (std::size_t i = 0; i < 400; ++i) gaps.push_back(i / 48 % 2 == 0 ? 100 * noise.next() : kGap);
  std::vector<double> jump(400, 1.0);
  for (std::size_t i = 300; i < 400; ++i) jump[i] = 1e6;
  const std::vector<std::vector<double>> bad{{},
                                             {5},
                                             {kGap},
                                             std::vector<double>(400, 0.0),
                                             std::vector<double>(400, 42.0),
                                             std::vector<double>(400, kGap),
                                             gaps,
                                             jump,
                                             {-1, -2, 3}};
  for (const std::vector<double>& values : bad) {
    const auto fitted = demand_blend(nullptr, kDay)->fit(series(values).view());
    expect_promises_kept(fitted->forecast(2 * kDay), 2 * kDay);
    for (const double next : {kGap, 0.0, 1e9, -1.0}) fitted->update(next, false);
    expect_promises_kept(fitted->forecast(2 * kDay), 2 * kDay);
  }
}

TEST(DemandBlend, IsNeverAbsurdlyFarAboveWhatWasSeen) {
  const auto fitted = demand_blend(nullptr, kDay)->fit(series(std::vector<double>(24 * 20, 50.0)).view());
  EXPECT_LE(fitted->forecast(kDay).values.maxCoeff(), 3 * 50);
}

}  // namespace
}  // namespace foreflow::predictor
