// SPDX-License-Identifier: Apache-2.0
// What is strange, why, for how long, and how often it is told.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "predictor/anomaly/detector.h"
#include "tests/unit/predictor/noise.h"

namespace foreflow::predictor {
namespace {

using testing::wave;

constexpr std::int64_t kStep = 300;
constexpr std::size_t kDay = 288;

std::vector<AnomalyVerdict> verdicts(const std::vector<double>& values) {
  AnomalyDetector detector;
  std::vector<AnomalyVerdict> result;
  result.reserve(values.size());
  std::int64_t time = 0;
  for (const double value : values) result.push_back(detector.push(time += kStep, value));
  return result;
}

std::vector<double> ten_days() { return wave(10 * kDay, kDay, 30, 10, 1); }

// Alarms from the fourth day on: before it little is known.
std::vector<std::size_t> alarms(const std::vector<AnomalyVerdict>& verdicts) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 3 * kDay; i < verdicts.size(); ++i)
    if (verdicts[i].score >= kAnomalyThreshold) rows.push_back(i);
  return rows;
}

TEST(RecordScale, ScoresNothingThatHasBeenSeen) {
  RecordScale scale(1000);
  for (int i = 0; i < 200; ++i) scale.push(i % 10);
  EXPECT_EQ(scale.push(8), 0);
}

TEST(RecordScale, ScoresAHalfWhenTheMaximumIsExceededByItsDistanceFromTheLevel) {
  RecordScale scale(1e9F);
  for (int i = 0; i < 2000; ++i) scale.push(i % 2 == 0 ? 0 : 10);
  // Maximum 10, level 5, mean deviation 5, granularity .05: the scale is 10.05.
  EXPECT_NEAR(scale.push(10 + 10.05), .5, .01);
}

TEST(RecordScale, DoesNotMeasureAnEventAgainstItsOwnBeginning) {
  RecordScale scale(1000);
  for (int i = 0; i < 200; ++i) scale.push(i % 10);
  const double first = scale.push(100);
  for (std::size_t i = 1; i < RecordScale::kGuard; ++i) EXPECT_NEAR(scale.push(100), first, .01);
  scale.push(100);
  EXPECT_LT(scale.push(100), first);
}

TEST(RecordScale, IsNotBlindedByOneImpossibleValue) {
  RecordScale scale(1000);
  for (int i = 0; i < 200; ++i) scale.push(i % 10);
  scale.push(1e300);
  for (int i = 0; i < 50; ++i) scale.push(i % 10);
  EXPECT_GT(scale.push(200), .5);
}

TEST(AnomalyDetector, IsQuietOnAConstant) {
  for (const double level : {45., 0., .1, -1e9})
    for (const AnomalyVerdict& verdict : verdicts(std::vector<double>(5 * kDay, level)))
      ASSERT_EQ(verdict.score, 0) << level;
}

TEST(AnomalyDetector, IsQuietOnADailyRhythm) { EXPECT_LE(alarms(verdicts(ten_days())).size(), 2U); }

TEST(AnomalyDetector, TellsABurstAtItsFirstValue) {
  auto values = ten_days();
  for (std::size_t i = 2000; i < 2006; ++i) values[i] += 200;
  const auto seen = verdicts(values);
  EXPECT_GE(seen[2000].score, kAnomalyThreshold);
  EXPECT_EQ(std::ranges::count_if(alarms(seen), [](std::size_t row) { return row >= 2000 && row < 2100; }), 1)
      << "one alarm per event";
}

TEST(AnomalyDetector, SaysHowLongAnEventHasLasted) {
  auto values = ten_days();
  for (std::size_t i = 2000; i < 2006; ++i) values[i] += 200;
  const auto seen = verdicts(values);
  EXPECT_EQ(seen[2000].duration, 1U);
  EXPECT_EQ(seen[2005].duration, 6U);
  EXPECT_EQ(seen[2005 + 2 * AnomalyDetector::kQuiet].duration, 0U);
}

TEST(AnomalyDetector, TellsAFallFromAPlateauAsOne) {
  auto values = wave(10 * kDay, kDay, 0, 10, 2);
  for (std::size_t i = 2000; i < values.size(); ++i) values[i] = 20;
  const auto seen = verdicts(values);
  const auto first = std::find_if(seen.begin() + 2000, seen.end(),
                                  [](const auto& verdict) { return verdict.score >= kAnomalyThreshold; });
  ASSERT_LE(first - seen.begin(), 2001);
  EXPECT_FALSE(first->above);
  EXPECT_TRUE(first->cause != AnomalyCause::kRise && first->cause != AnomalyCause::kHigh) << to_string(first->cause);
}

TEST(AnomalyDetector, FindsARhythmThatFailsAlthoughItsValuesAreUsual) {
  auto values = wave(10 * kDay, kDay, 40, 4, 3);
  for (std::size_t i = 8 * kDay; i < 9 * kDay; ++i) values[i] = 140;  // as high as each day, but all day long
  const auto rows = alarms(verdicts(values));
  EXPECT_TRUE(std::ranges::any_of(rows, [](std::size_t row) { return row >= 8 * kDay && row < 9 * kDay; }));
}

TEST(AnomalyDetector, UsesNoValueAfterTheRow) {
  auto values = ten_days();
  const auto before = verdicts(values);
  for (std::size_t i = 1500; i < values.size(); ++i) values[i] = 1e6;
  const auto after = verdicts(values);
  for (std::size_t i = 0; i < 1500; ++i) ASSERT_EQ(before[i].score, after[i].score);
}

TEST(AnomalyDetector, DoesNotDependOnTheUnit) {
  auto values = ten_days();
  values[2000] = 400;
  const auto bytes = verdicts(values);
  for (double& value : values) value *= 1024;  // exact in binary
  const auto kilobytes = verdicts(values);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(bytes[i].strength, kilobytes[i].strength, 1e-6) << i;
}

TEST(AnomalyDetector, PassesOverGaps) {
  auto values = ten_days();
  const auto whole = verdicts(values);
  AnomalyDetector detector;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto verdict = detector.push(time += kStep, values[i]);
    ASSERT_EQ(verdict.strength, whole[i].strength);
    ASSERT_EQ(detector.push(time, std::numeric_limits<double>::quiet_NaN()).strength, 0);
    ASSERT_EQ(detector.push(time, std::numeric_limits<double>::infinity()).strength, 0);
  }
}

TEST(AnomalyDetector, SurvivesAnyInput) {
  testing::Noise noise(9);
  AnomalyDetector detector;
  for (int i = 0; i < 20'000; ++i) {
    const double wild = std::pow(10, 600 * (noise.next() - .5)) * (noise.next() < .5 ? -1 : 1);
    const auto time = static_cast<std::int64_t>((noise.next() - .5) * 1e18);
    const auto verdict = detector.push(time, noise.next() < .1 ? 0 : wild);
    ASSERT_TRUE(verdict.score >= 0 && verdict.score <= 1) << verdict.score;
    ASSERT_TRUE(verdict.strength >= 0 && verdict.strength <= 1) << verdict.strength;
  }
}

TEST(AnomalyDetector, NeedsLessThanTwoKibibytesPerSeries) { EXPECT_LT(sizeof(AnomalyDetector), 2048U); }

}  // namespace
}  // namespace foreflow::predictor
