// SPDX-License-Identifier: Apache-2.0
// edge_v1 and behaviour_v1: what their numbers say of known series, and what they answer to bad ones.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/features/behaviour.h"
#include "predictor/features/edge.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using testing::kGap;

double edge(const EdgeVector& vector, std::string_view name) {
  return vector[static_cast<std::size_t>(std::ranges::find(kEdgeNames, name) - kEdgeNames.begin())];
}

double behaviour(const BehaviourVector& vector, std::string_view name) {
  return vector[static_cast<std::size_t>(std::ranges::find(kBehaviourNames, name) - kBehaviourNames.begin())];
}

template <typename Vector>
bool is_finite(const Vector& vector) {
  return std::ranges::all_of(vector, [](double value) { return std::isfinite(value); });
}

// 600 s: 100 with 10 s of 1,000 every minute.
std::vector<double> bursts() {
  std::vector<double> samples;
  samples.reserve(600);
  for (int t = 0; t < 600; ++t) samples.push_back(t % 60 < 10 ? 1'000 : 100);
  return samples;
}

// Four weeks: quiet noise, ten times as much from 8 to 18 o'clock, a backup at 3:00.
Series office(std::size_t days) {
  testing::Noise noise(11);
  Series made(288);
  for (std::size_t i = 0; i < 288 * days; ++i) {
    const std::size_t slot = i % 288;
    const double level = slot == 36 ? 1e6 : slot >= 96 && slot < 216 ? 1e4 : 1e3;
    made.push(level * std::exp(.2 * noise.normal()));
  }
  return made;
}

TEST(EdgeVector, CountsBurstsAndTheirPeriod) {
  const EdgeVector vector = edge_v1(bursts()).value();
  EXPECT_NEAR(edge(vector, "mean"), 250, 1e-9);
  EXPECT_EQ(edge(vector, "p50"), 100);
  EXPECT_EQ(edge(vector, "max"), 1'000);
  EXPECT_NEAR(edge(vector, "peak_to_mean"), 4, 1e-9);
  EXPECT_EQ(edge(vector, "burst_count"), 10);
  EXPECT_EQ(edge(vector, "burst_seconds"), 10);
  EXPECT_NEAR(edge(vector, "period"), 60, 1e-9);
  EXPECT_NEAR(edge(vector, "newest_to_mean"), .4, 1e-9);
}

TEST(EdgeVector, LooksAtTheNewestQuarterOfAnHourOnly) {
  std::vector<double> samples(5'000, 7.);
  samples.resize(5'000 + kEdgeMost, 3.);
  EXPECT_EQ(edge(edge_v1(samples).value(), "max"), 3);
}

TEST(EdgeVector, SaysWhenThereIsNotEnough) {
  const auto refused = edge_v1(std::vector<double>(63, 1.));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "not enough data: 63 known samples, edge_v1 needs 64");
  EXPECT_FALSE(edge_v1(std::vector<double>(500, kGap)));
}

TEST(EdgeVector, IsFiniteWhateverComes) {
  std::vector<double> jump(300, 1.), holes = bursts(), negative = bursts();
  jump.back() = 1e6;
  for (std::size_t i = 0; i < 100; ++i) holes[3 * i] = kGap, negative[2 * i] = -5;
  for (const std::vector<double>& samples :
       {std::vector<double>(300, 0.), std::vector<double>(300, 5e9), jump, holes, negative})
    EXPECT_TRUE(is_finite(edge_v1(samples).value()));
}

TEST(BehaviourVector, KnowsTheOffice) {
  const BehaviourVector vector = behaviour_v1(office(28).view()).value();
  EXPECT_EQ(behaviour(vector, "days"), 28);
  EXPECT_GT(behaviour(vector, "day_strength"), .9);
  EXPECT_GT(behaviour(vector, "log_autocorrelation_day"), .8);
  EXPECT_NEAR(behaviour(vector, "period"), 1, .02);
  EXPECT_GE(behaviour(vector, "day_timers"), 1);
  EXPECT_NEAR(behaviour(vector, "trend"), 0, .01);
}

TEST(BehaviourVector, SeesATrend) {
  Series growing(288);
  testing::Noise noise(2);
  for (int i = 0; i < 288 * 10; ++i) growing.push(1e3 * std::exp(.1 * i / 288. + .1 * noise.normal()));
  EXPECT_NEAR(behaviour(behaviour_v1(growing.view()).value(), "trend"), .1, .01);
}

TEST(BehaviourVector, SaysWhenThereIsNotEnough) {
  const auto refused = behaviour_v1(office(1).view());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "not enough data: 288 known points, behaviour_v1 needs 576 (2 days)");
  EXPECT_FALSE(behaviour_v1(testing::series({1, 2, 3}, 7).view()));
  EXPECT_FALSE(behaviour_v1(Series(288).view()));
}

TEST(BehaviourVector, IsFiniteWhateverComes) {
  Series zero(288), constant(288), holes(288), jump(288);
  const Series usual = office(6);
  for (std::size_t i = 0; i < usual.size(); ++i) {
    const double value = usual.view().values[i];
    zero.push(0);
    constant.push(4e8);
    holes.push(i / 288 == 2 || i / 288 == 3 ? kGap : i % 50 == 0 ? -1 : value, i % 7 == 0);
    jump.push(i + 1 == usual.size() ? value * 1e6 : value);
  }
  for (const Series* made : {&zero, &constant, &holes, &jump})
    EXPECT_TRUE(is_finite(behaviour_v1(made->view()).value()));
}

}  // namespace
}  // namespace foreflow::predictor
