// SPDX-License-Identifier: Apache-2.0
// Windows that look alike, against direct computation, and the forecast made of what followed them.
#include <cmath>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/match/distance_profile.h"
#include "predictor/match/rolling_profile.h"
#include "predictor/models/nearest_profiles.h"
#include "predictor/models/pattern_match.h"
#include "tests/unit/predictor/features_reference.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using reference::kDemand;

TEST(DistanceProfile, EqualsNumpy) {
  const auto profile = distance_profile(std::span(kDemand).last(20), kDemand);
  ASSERT_EQ(profile.size(), reference::kDistances.size());
  for (std::size_t i = 0; i + 1 < profile.size(); ++i) EXPECT_NEAR(profile[i], reference::kDistances[i], 1e-7);
  EXPECT_NEAR(profile.back(), 0, 1e-6);
}

TEST(DistanceProfile, IgnoresLevelAndSwing) {
  std::vector<double> scaled;
  scaled.reserve(20);
  for (std::size_t i = 50; i < 70; ++i) scaled.push_back(1e3 + 7 * kDemand[i]);
  EXPECT_EQ(nearest(distance_profile(scaled, kDemand), 1, 1)[0].start, 50U);
}

TEST(DistanceProfile, HasAnAnswerToConstantWindows) {
  std::vector<double> values(30, 5.);
  values[29] = 1e6;
  const auto profile = distance_profile(std::vector<double>(4, 2.), values);
  EXPECT_EQ(profile.front(), 0);
  EXPECT_EQ(profile.back(), 2);
}

TEST(DistanceProfile, IsEmptyForAWindowThatIsTooLong) {
  EXPECT_TRUE(distance_profile(kDemand, std::span(kDemand).first(10)).empty());
  EXPECT_TRUE(distance_profile({}, kDemand).empty());
}

TEST(Nearest, KeepsMatchesApart) {
  const std::vector<double> profile{3, 1, 2, 9, 4};
  const auto found = nearest(profile, 5, 2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].start, 1U);
  EXPECT_EQ(found[1].start, 4U);
}

// 150 points kept: trimmed several times on the way.
TEST(RollingProfile, EqualsTheProfileMadeAtOnce) {
  const std::vector<double> values = testing::wave(1'000, 40, 30, 20, 9);
  RollingProfile rolling(12, 150);
  for (const double value : values) rolling.push(value);
  const auto at_once = distance_profile(rolling.values().last(12), rolling.values());
  const auto made = rolling.distances();
  ASSERT_EQ(made.size() + 12, at_once.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i], at_once[i], 1e-6);
}

TEST(RollingProfile, HasNoDistancesBeforeTwoWindows) {
  RollingProfile rolling(5, 100);
  for (int i = 0; i < 9; ++i) rolling.push(i);
  EXPECT_TRUE(rolling.distances().empty());
  rolling.push(9);
  EXPECT_EQ(rolling.distances().size(), 1U);
}

TEST(PatternMatch, ForecastsABurstThatItsPreludeAnnounces) {
  // At irregular distances: 24 points of a ramp, then a burst.
  Series announced(96);
  testing::Noise noise(4);
  for (int round = 0; round < 30; ++round) {
    const int pause = 20 + static_cast<int>(40 * noise.next());
    for (int i = 0; i < pause && round < 29; ++i) announced.push(100 + 5 * noise.next());
    for (int i = 0; i < 24; ++i) announced.push(100 + 20 * i);
    if (round < 29) announced.push(50'000);
  }
  const auto forecast = PatternMatch().fit(announced.view())->forecast(2);
  EXPECT_NEAR(forecast.values(0, 0) / 50'000, 1, .3);
  EXPECT_LT(forecast.values(1, 0), 5'000);
}

TEST(PatternMatch, KeepsThePromisesOfAForecastWhateverComes) {
  using testing::kGap;
  Series holes(24), jump(24);
  for (int i = 0; i < 300; ++i) {
    holes.push(i % 5 == 0 || (i > 100 && i < 160) ? kGap : i % 24 * 10., i % 7 == 0);
    jump.push(i == 299 ? 1e9 : 1e3);
  }
  for (const Series& made :
       {holes, jump, Series(24), testing::series({5}), testing::series(std::vector<double>(200, 0.)),
        testing::series(std::vector<double>(200, kGap))})
    testing::expect_promises_kept(PatternMatch().fit(made.view())->forecast(48), 48);
}

// The fleet: a sine, and a sawtooth at another level; young is a hundredth of the sawtooth.
TEST(ColdStart, GoesOnLikeTheOneThatLooksLikeIt) {
  std::vector<std::vector<double>> fleet(2);
  Series young(288);
  for (int i = 0; i < 400; ++i) {
    fleet[0].push_back(std::log1p(1e5 + 5e4 * std::sin(i / 7.)));
    fleet[1].push_back(std::log1p(1e6 * (1 + i % 30)));
  }
  for (int i = 0; i < 45; ++i) young.push(1e4 * (1 + i % 30));
  const auto forecast = cold_start(young.view(), fleet, 20, 3);
  testing::expect_promises_kept(forecast, 20);
  EXPECT_NEAR(forecast.values(0, 0), 16e4, 2e3);
  EXPECT_NEAR(forecast.values(15, 0), 1e4, 2e2);
}

TEST(ColdStart, HasAnAnswerWithoutAPastOrAFleet) {
  testing::expect_promises_kept(cold_start(Series(288).view(), {}, 5, 3), 5);
  testing::expect_promises_kept(cold_start(testing::series({7}).view(), {}, 5, 3), 5);
  const std::vector<std::vector<double>> fleet{{}, {1, 2, 3}, std::vector<double>(100, 4.)};
  testing::expect_promises_kept(cold_start(testing::series({7}).view(), fleet, 5, 3), 5);
  testing::expect_promises_kept(cold_start(testing::series({testing::kGap}).view(), fleet, 5, 3), 5);
}

}  // namespace
}  // namespace foreflow::predictor
