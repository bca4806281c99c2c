// SPDX-License-Identifier: Apache-2.0
// One model for all VMs: it learns from some, serves others, and survives being saved.
#include "predictor/models/global/boosted.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/predictor/bursty_fleet.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::bursts;
using testing::expect_promises_kept;
using testing::kDay;
using testing::kGap;
using testing::series;

constexpr Eigen::Index kMedian = 0, k95 = 2, kHighest = 4;

// Every model of this file learns from the same 12 VMs.
class BoostedTest : public ::testing::Test {
 protected:
  static const GlobalModel& model() {
    static const std::unique_ptr<GlobalModel> trained = testing::trained_on_bursts(trainer());
    return *trained;
  }

  static BoostedTrainer trainer() {
    BoostedPlan plan;
    plan.trees.trees = 40;
    plan.trees.least_rows = 20;
    plan.bands = {{0, 0}, {1, 23}};
    return BoostedTrainer(plan);
  }
};

TEST_F(BoostedTest, ExpectsTheBurstOfAVmItHasNeverSeen) {
  const Series unseen = bursts(3e4, 7, 20, 99);
  const auto fitted = model().fit(unseen.view().first(19 * kDay));
  const QuantileForecast day = fitted->forecast(kDay);
  expect_promises_kept(day, kDay);
  EXPECT_GT(day.values(7, k95), 3e5);
  EXPECT_LT(day.values(10, k95), 3e5);
  EXPECT_NEAR(day.values(10, kMedian), 3e4, 1.5e4);
}

TEST_F(BoostedTest, IsTheSameAfterLoading) {
  const auto loaded = trainer().load(model().save());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Series unseen = bursts(500, 3, 15, 5);
  const auto before = model().fit(unseen.view())->forecast(kDay);
  EXPECT_TRUE((before.values == (*loaded)->fit(unseen.view())->forecast(kDay).values).all());
}

TEST_F(BoostedTest, RefusesWhatIsCutShort) {
  const std::string bytes = model().save();
  for (const std::size_t kept : {std::size_t{0}, std::size_t{3}, std::size_t{20}, bytes.size() / 2, bytes.size() - 1})
    EXPECT_FALSE(trainer().load(std::string_view(bytes).substr(0, kept))) << kept;
}

TEST_F(BoostedTest, RefusesOrSurvivesEveryDamagedByte) {
  const std::string bytes = model().save();
  const Series unseen = bursts(500, 3, 10, 5);
  for (std::size_t i = 0; i < bytes.size(); i += 1 + bytes.size() / 200) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    const auto loaded = trainer().load(damaged);
    if (loaded) expect_promises_kept((*loaded)->fit(unseen.view())->forecast(kDay), kDay);
  }
}

TEST_F(BoostedTest, UpdatesLikeAFit) {
  const Series whole = bursts(2e3, 5, 12, 8);
  const auto fitted = model().fit(whole.view().first(10 * kDay));
  for (std::size_t i = 10 * kDay; i < whole.size(); ++i) fitted->update(whole.view().values[i], false);
  EXPECT_TRUE((fitted->forecast(30).values == model().fit(whole.view())->forecast(30).values).all());
}

TEST_F(BoostedTest, AnswersBadInputWithinThreeTimesItsPeak) {
  const std::vector<std::vector<double>> inputs{{},
                                                {kGap, kGap},
                                                {7},
                                                std::vector<double>(200, 0),
                                                std::vector<double>(200, 42),
                                                {1, 2, 1e6, 1},
                                                {0, kGap, -5, 3}};
  for (const std::vector<double>& values : inputs) {
    const Series past = series(values);
    double peak = 0;
    for (const double value : past.view().values) peak = std::isnan(value) ? peak : std::max(peak, value);
    const QuantileForecast forecast = model().fit(past.view())->forecast(30);
    expect_promises_kept(forecast, 30);
    EXPECT_LE(forecast.values.col(kHighest).maxCoeff(), 3 * peak);
  }
}

TEST_F(BoostedTest, SaysHowMuchIsMissingToLearnFrom) {
  const Series little = bursts(1e3, 3, 2, 1);
  const std::vector<SeriesView> fleet{little.view()};
  const auto trained = trainer().train(fleet);
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message.find("2000 are needed"), std::string::npos) << trained.error().message;
}

}  // namespace
}  // namespace foreflow::predictor
