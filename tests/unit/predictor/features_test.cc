// SPDX-License-Identifier: Apache-2.0
// What a series is like, against independent implementations (features_reference.py).
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/features/autocorrelation.h"
#include "predictor/features/change_points.h"
#include "predictor/features/dispersion.h"
#include "predictor/features/fft.h"
#include "predictor/features/spectrum.h"
#include "predictor/features/timers.h"
#include "predictor/features/wavelet.h"
#include "predictor/features/whole.h"
#include "tests/unit/predictor/features_reference.h"
#include "tests/unit/predictor/noise.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using reference::kDemand;
using testing::kGap;
using testing::series;

void expect_near(std::span<const double> made, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(made.size(), expected.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i], expected[i], tolerance) << "at " << i;
}

std::vector<double> as_numbers(const std::vector<std::size_t>& places) { return {places.begin(), places.end()}; }

TEST(FastLength, HasNoLargePrimeFactor) {
  EXPECT_EQ(fast_length_from(26'209), 26'244U);
  EXPECT_EQ(fast_length_within(26'209), 25'920U);
  EXPECT_EQ(fast_length_within(7), 6U);
  EXPECT_EQ(fast_length_from(1), 1U);
}

TEST(Interpolated, FillsGapsBetweenNeighboursAndAtTheEnds) {
  expect_near(interpolated(series({kGap, 2, kGap, kGap, 8, kGap}).view()), std::vector<double>{2, 2, 4, 6, 8, 8},
              1e-12);
}

TEST(Interpolated, IsEmptyWhenNothingIsKnown) { EXPECT_TRUE(interpolated(series({kGap, kGap}).view()).empty()); }

TEST(Periodogram, EqualsNumpy) { expect_near(periodogram(kDemand), reference::kPeriodogram, 1e-6); }

TEST(SignificantPeriods, AreThoseOfFishersTest) {
  const auto periods = significant_periods(kDemand, .05, 2);
  ASSERT_EQ(periods.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(periods[i].points, reference::kFirstPeriods[i], 1e-9);
    EXPECT_NEAR(periods[i].probability / reference::kFirstProbabilities[i], 1, 1e-6);
  }
  EXPECT_EQ(significant_periods(kDemand, 1e-3, 2).size(), 1U);
}

TEST(SignificantPeriods, AreNoneInALineAndInOnePoint) {
  std::vector<double> line(100);
  std::iota(line.begin(), line.end(), 5.);
  EXPECT_TRUE(significant_periods(line, .05, 3).empty());
  EXPECT_TRUE(significant_periods(std::vector<double>(100, 1e6), .05, 3).empty());
  EXPECT_TRUE(significant_periods(std::vector<double>{1}, .05, 3).empty());
}

TEST(Autocorrelation, EqualsNumpy) { expect_near(autocorrelation(kDemand, 60), reference::kCorrelation, 1e-9); }

TEST(Autocorrelation, IsZeroBeyondTheSeriesAndForAConstant) {
  EXPECT_EQ(autocorrelation(std::vector<double>{1, 2}, 3)[2], 0);
  EXPECT_EQ(autocorrelation(std::vector<double>(50, 1e6), 3), (std::vector<double>{1, 0, 0, 0}));
  EXPECT_EQ(autocorrelation({}, 1), (std::vector<double>{1, 0}));
}

TEST(Modwt, EqualsTheTransformByFrequencyResponses) {
  const Modwt transform = modwt(kDemand, Wavelet::kDaubechies8, 4);
  expect_near(transform.details[2], reference::kDetail3, 1e-9);
  expect_near(transform.smooth, reference::kSmooth4, 1e-9);
}

TEST(Modwt, IsUndoneByItsInverse) {
  for (const Wavelet wavelet : {Wavelet::kHaar, Wavelet::kDaubechies4, Wavelet::kDaubechies8})
    for (const std::size_t length : {1U, 2U, 5U, 200U}) {
      const auto values = std::span(kDemand).first(length);
      expect_near(inverse_modwt(modwt(values, wavelet, 9), wavelet), values, 1e-8);
    }
}

TEST(WaveletEnergies, EqualTheReferenceAndSumToOne) {
  const auto energies = wavelet_energies(kDemand, Wavelet::kDaubechies8, 4);
  expect_near(energies, reference::kEnergies, 1e-9);
  EXPECT_NEAR(std::accumulate(energies.begin(), energies.end(), 0.), 1, 1e-9);
}

TEST(WaveletEnergies, OfAConstantAreZero) {
  EXPECT_EQ(wavelet_energies(std::vector<double>(64, 7e5), Wavelet::kHaar, 2), (std::vector<double>{0, 0, 0}));
}

TEST(Denoised, IsNearerToTheTruthThanWhatWasMeasured) {
  std::vector<double> truth, measured;
  testing::Noise noise(3);
  for (int t = 0; t < 1'024; ++t) {
    truth.push_back(t < 500 ? 10 : 30 + 5 * std::sin(t / 60.));
    measured.push_back(truth.back() + noise.normal());
  }
  const auto clean = denoised(measured, Wavelet::kDaubechies8, 6);
  double before = 0, after = 0;
  for (std::size_t t = 0; t < truth.size(); ++t) {
    before += std::pow(measured[t] - truth[t], 2);
    after += std::pow(clean[t] - truth[t], 2);
  }
  EXPECT_LT(after, .35 * before);
}

TEST(LevelChanges, EqualThoseOfOptimalPartitioning) {
  EXPECT_EQ(as_numbers(level_changes(kDemand, usual_penalty(kDemand.size()))), reference::kChanges);
  EXPECT_EQ(as_numbers(level_changes(kDemand, 4)), reference::kChangesCheap);
}

TEST(LevelChanges, AreNoneInAConstantAndInTwoPoints) {
  EXPECT_TRUE(level_changes(std::vector<double>(50, 3.), 10).empty());
  EXPECT_TRUE(level_changes(std::vector<double>{1, 1e6}, 10).empty());
}

TEST(RobustSlope, EqualsScipy) { EXPECT_NEAR(robust_slope(kDemand), reference::kSlope[0], 1e-12); }

TEST(HurstExponent, EqualsALineThroughTheVariances) {
  EXPECT_NEAR(hurst_exponent(kDemand).value(), reference::kHurst[0], 1e-9);
}

TEST(HurstExponent, IsUnknownForAConstantAndAShortSeries) {
  EXPECT_FALSE(hurst_exponent(std::vector<double>(100, 4.)));
  EXPECT_FALSE(hurst_exponent(std::span(kDemand).first(31)));
}

TEST(TailIndex, EqualsHillsEstimate) { EXPECT_NEAR(tail_index(kDemand, 20).value(), reference::kTailIndex[0], 1e-9); }

TEST(TailIndex, IsUnknownWhereNothingIsLarger) {
  EXPECT_FALSE(tail_index(std::vector<double>(100, 4.), 10));
  EXPECT_FALSE(tail_index(std::vector<double>(100, 0.), 10));
  EXPECT_FALSE(tail_index(std::vector<double>{1, 2}, 2));
}

TEST(BurstTimers, FindTheHourOfTheDayAndHowSureItIs) {
  const Series timed = testing::timer(10);
  const TimerSearch search{.period = 24, .tolerance = 1};
  const auto timers = burst_timers(timed.view(), search);
  ASSERT_EQ(timers.size(), 1U);
  EXPECT_TRUE(timers[0].place >= 8 && timers[0].place <= 10);
  EXPECT_EQ(timers[0].hits, 10U);
  EXPECT_EQ(timers[0].height, 5'000);
  EXPECT_NEAR(timers[0].probability / reference::kTimerProbability[0], 1, 1e-6);
  EXPECT_EQ(share_by_timers(timed.view(), search, timers), 1);
}

TEST(BurstTimers, FollowThePhaseOfTheSeries) {
  Series late(24, 20);
  for (int i = 0; i < 240; ++i) late.push(i % 24 == 0 ? 900 : 1);
  const auto timers = burst_timers(late.view(), {.period = 24, .tolerance = 0});
  ASSERT_EQ(timers.size(), 1U);
  EXPECT_EQ(timers[0].place, 20U);
}

TEST(BurstTimers, AreNoneInNoiseInAConstantAndWithoutValues) {
  testing::Noise noise(5);
  Series random(288);
  for (int i = 0; i < 288 * 20; ++i) random.push(std::exp(noise.normal()));
  EXPECT_TRUE(burst_timers(random.view(), {}).empty());
  EXPECT_TRUE(burst_timers(series(std::vector<double>(2'000, 5.)).view(), {}).empty());
  EXPECT_TRUE(burst_timers(series(std::vector<double>(2'000, kGap)).view(), {}).empty());
}

}  // namespace
}  // namespace foreflow::predictor
