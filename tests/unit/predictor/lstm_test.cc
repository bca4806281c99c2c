// SPDX-License-Identifier: Apache-2.0
// The recurrent network: its gradient against finite differences, and what it learns, saves and survives.
#include "predictor/models/global/lstm.h"

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/predictor/bursty_fleet.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::bursts;
using testing::expect_promises_kept;
using testing::kDay;
using testing::kGap;
using testing::series;

constexpr Eigen::Index kMedian = 0, k95 = 2;

TEST(LstmNetwork, GradientAgreesWithFiniteDifferences) {
  using Network = LstmNetwork<double>;
  const LstmShape shape{.steps = 5, .inputs = 2, .statics = 3, .cells = 4, .hidden = 6, .outputs = 2};
  constexpr std::array kTaus{.5, .95};
  Network network(shape, 3);
  testing::Noise noise(11);
  Network::Matrix rows(static_cast<Eigen::Index>(shape.features()), 7);
  for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = 2 * noise.next() - 1;
  Network::Vector targets(7);
  for (Eigen::Index i = 0; i < targets.size(); ++i) targets[i] = 2 * noise.next() - 1;
  Network::Vector gradient;
  network.loss(rows, targets, kTaus, gradient);
  Network::Vector unused;
  constexpr double kStep = 1e-6;
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const double kept = network.parameters()[i];
    network.parameters()[i] = kept + kStep;
    const double above = network.loss(rows, targets, kTaus, unused);
    network.parameters()[i] = kept - kStep;
    const double below = network.loss(rows, targets, kTaus, unused);
    network.parameters()[i] = kept;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-6) << "parameter " << i;
  }
}

// Every model of this file learns from the same 12 VMs.
class LstmTest : public ::testing::Test {
 protected:
  static const GlobalModel& model() {
    static const std::unique_ptr<GlobalModel> trained = testing::trained_on_bursts(trainer());
    return *trained;
  }

  static LstmTrainer trainer() {
    LstmPlan plan;
    plan.shape.steps = 8;
    plan.shape.cells = 6;
    plan.shape.hidden = 16;
    plan.bands = {{0, 0}, {1, 23}};
    plan.batch = 64;
    return LstmTrainer(plan);
  }
};

TEST_F(LstmTest, ExpectsTheBurstOfAVmItHasNeverSeen) {
  const Series unseen = bursts(3e4, 7, 20, 99);
  const QuantileForecast day = model().fit(unseen.view().first(19 * kDay))->forecast(kDay);
  expect_promises_kept(day, kDay);
  EXPECT_GT(day.values(7, k95), 3e5);
  EXPECT_LT(day.values(10, k95), 3e5);
  EXPECT_NEAR(day.values(10, kMedian), 3e4, 1.5e4);
}

TEST_F(LstmTest, IsTheSameAfterLoading) {
  const auto loaded = trainer().load(model().save());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Series unseen = bursts(500, 3, 15, 5);
  const auto before = model().fit(unseen.view())->forecast(kDay);
  EXPECT_TRUE((before.values == (*loaded)->fit(unseen.view())->forecast(kDay).values).all());
}

TEST_F(LstmTest, RefusesWhatIsCutShortOrTooLong) {
  const std::string bytes = model().save();
  for (const std::size_t kept : {std::size_t{0}, std::size_t{3}, std::size_t{20}, bytes.size() / 2, bytes.size() - 1})
    EXPECT_FALSE(trainer().load(std::string_view(bytes).substr(0, kept))) << kept;
  EXPECT_FALSE(trainer().load(bytes + "x"));
}

TEST_F(LstmTest, RefusesOrSurvivesDamagedBytes) {
  const std::string bytes = model().save();
  const Series unseen = bursts(500, 3, 10, 5);
  for (std::size_t i = 0; i < bytes.size(); i += i < 64 ? 1 : 997) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x7f);
    const auto loaded = trainer().load(damaged);
    if (loaded) expect_promises_kept((*loaded)->fit(unseen.view())->forecast(kDay), kDay);
  }
}

TEST_F(LstmTest, KeepsItsPromisesOnBadSeries) {
  std::vector<double> jump(300, 1.0);
  jump.back() = 1e6;
  for (const std::vector<double>& values : {std::vector<double>{},
                                            {5},
                                            {kGap},
                                            std::vector<double>(300, 0.0),
                                            std::vector<double>(300, 7.0),
                                            std::vector<double>(300, kGap),
                                            jump,
                                            {-1, -2, 3}}) {
    const auto fitted = model().fit(series(values).view());
    expect_promises_kept(fitted->forecast(kDay), kDay);
    fitted->update(kGap, false);
    expect_promises_kept(fitted->forecast(kDay), kDay);
  }
}

TEST(LstmTrainer, SaysWhenThereIsTooLittleToLearnFrom) {
  const Series brief = bursts(100, 3, 2, 1);
  const std::vector<SeriesView> fleet{brief.view()};
  const auto trained = LstmTrainer().train(fleet);
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message.find("2000 are needed"), std::string::npos) << trained.error().message;
}

}  // namespace
}  // namespace foreflow::predictor
