// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "host/forecast/demand_history.h"
#include "host/forecast/history_file.h"
#include "host/forecast/peak_samples.h"

namespace foreflow::forecast {
namespace {

constexpr std::int64_t kSecond = kNanosPerSecond;
constexpr std::int64_t kInterval = 100 * kSecond;

TEST(PeakSamples, AgreeWithSortingAllSamples) {
  std::mt19937_64 random(3);
  std::vector<float> all;
  PeakSamples peaks;
  for (int n = 1; n < 20 * 33; ++n) {
    all.push_back(static_cast<float>(random() % 1'000));
    peaks.add(all.back(), 1);
    std::ranges::sort(all);
    const auto rank = static_cast<std::size_t>((95 * all.size() + 99) / 100);  // ceil(.95 n)
    ASSERT_EQ(peaks.p95(), all[rank - 1]) << n << " samples";
  }
}

TEST(PeakSamples, CountARepeatedRateAsThatManySamples) {
  PeakSamples peaks;
  peaks.add(1, 95);
  peaks.add(9, 5);
  EXPECT_EQ(peaks.p95(), 1);
  peaks.add(9, 1);
  EXPECT_EQ(peaks.p95(), 9);
}

TEST(PeakSamples, AreAnUpperBoundBeyondWhatTheyKeep) {
  PeakSamples peaks;
  for (int n = 0; n < 10'000; ++n) peaks.add(static_cast<float>(n), 1);
  EXPECT_GE(peaks.p95(), 9'499);
  EXPECT_LE(peaks.p95(), 9'999);
}

// Intervals of 100 s, 50 kept; interval k begins at second 100 k.
class History : public ::testing::Test {
 protected:
  void second(std::int64_t end, std::uint64_t bytes, bool limited = false) {
    history_.observe({end * kSecond}, kSecond, bytes, limited);
  }
  void fill(IntervalIndex index, std::uint64_t bytes) {
    for (std::int64_t s = 1; s <= 100; ++s) second(100 * index + s, bytes);
  }
  float rate(IntervalIndex index) const {
    const auto slot = history_.at(index);
    return slot ? slot->rate : -1;
  }

  DemandHistory history_{kInterval, 50};
};

TEST_F(History, KeepsTheP95OfOneSecondRates) {
  for (std::int64_t s = 1; s <= 100; ++s) second(1'000 + s, static_cast<std::uint64_t>(s));
  EXPECT_EQ(rate(10), 95);
}

TEST_F(History, PutsTheLastSecondOfAnIntervalIntoThatInterval) {
  second(1'100, 7);
  EXPECT_EQ(rate(10), 7);
  EXPECT_EQ(rate(11), -1);
}

TEST_F(History, CountsALongReportAsOneSampleASecondInEachIntervalItTouches) {
  history_.observe({1'130 * kSecond}, 60 * kSecond, 600, false);
  EXPECT_EQ(rate(10), 10);
  EXPECT_EQ(rate(11), 10);
  for (std::int64_t s = 31; s <= 100; ++s) second(1'100 + s, 1);
  EXPECT_EQ(rate(11), 10);  // 30 of 100 samples
}

TEST_F(History, PutsLateSamplesIntoTheirOwnInterval) {
  for (std::int64_t s = 1; s <= 90; ++s) second(1'000 + s, 5);
  fill(11, 100);
  for (std::int64_t s = 91; s <= 100; ++s) second(1'000 + s, 50);
  EXPECT_EQ(rate(10), 50);
  EXPECT_EQ(rate(11), 100);
}

TEST_F(History, FillsGapsFromALateBacklog) {
  fill(10, 1);
  fill(20, 1);
  for (IntervalIndex index = 11; index < 20; ++index) fill(index, static_cast<std::uint64_t>(index));
  for (IntervalIndex index = 11; index < 20; ++index) EXPECT_EQ(rate(index), static_cast<float>(index));
}

TEST_F(History, RaisesButNeverLowersAnIntervalThatWasFinished) {
  for (IntervalIndex index = 10; index < 20; ++index) fill(index, 100);
  second(1'050, 3);
  EXPECT_EQ(rate(10), 100);
  second(1'050, 300);
  EXPECT_EQ(rate(10), 300);
}

TEST_F(History, DropsWhatIsOlderThanItKeeps) {
  fill(60, 1);
  fill(10, 9);
  EXPECT_EQ(rate(10), -1);
  EXPECT_EQ(history_.newest(), 60);
}

TEST_F(History, ForgetsTheOldestWhenItIsFull) {
  for (IntervalIndex index = 1; index <= 60; ++index) fill(index, static_cast<std::uint64_t>(index));
  EXPECT_EQ(rate(10), -1);
  EXPECT_EQ(rate(11), 11);
  EXPECT_EQ(rate(60), 60);
}

TEST_F(History, BeginsWithTheFirstIntervalThatWasSeen) {
  fill(100, 1);
  fill(102, 1);
  EXPECT_EQ(history_.oldest(), 100);
  fill(98, 9);
  EXPECT_EQ(history_.oldest(), 98);
  EXPECT_EQ(rate(98), 9);
  fill(160, 1);
  EXPECT_EQ(history_.oldest(), 111);
}

TEST_F(History, LeavesAGapWhereNothingWasReported) {
  fill(10, 1);
  fill(200, 1);
  EXPECT_EQ(rate(199), -1);
  EXPECT_EQ(rate(10), -1);
  EXPECT_EQ(rate(200), 1);
}

TEST_F(History, MarksAnIntervalWithALimitedSample) {
  second(1'001, 5);
  second(1'002, 5, true);
  second(1'101, 5);
  EXPECT_TRUE(history_.at(10)->limited);
  EXPECT_FALSE(history_.at(11)->limited);
}

TEST_F(History, IgnoresReportsThatCannotBe) {
  history_.observe({0}, kSecond, 5, false);
  history_.observe({-5}, kSecond, 5, false);
  history_.observe({1'000 * kSecond}, 0, 5, false);
  history_.observe({5}, ~std::uint64_t{0}, 5, false);
  history_.observe({std::numeric_limits<std::int64_t>::max()}, kSecond, 5, false);
  EXPECT_TRUE(history_.empty());
}

TEST_F(History, BecomesASeriesWithGapsAndWithoutTheIntervalInProgress) {
  fill(10, 1);
  fill(12, 3);
  fill(13, 4);
  const predictor::Series series = history_.series(13, 24);
  ASSERT_EQ(series.size(), 3);
  EXPECT_EQ(series.view().values[0], 1);
  EXPECT_TRUE(series.view().is_gap(1));
  EXPECT_EQ(series.view().values[2], 3);
}

TEST_F(History, StaysInPhaseAndBoundedAfterALongSilence) {
  fill(10, 1);
  EXPECT_EQ(history_.series(12, 24).size(), 2);
  EXPECT_EQ(history_.series(11 + 24 * 1'000'000 + 5, 24).size(), 6);
}

TEST_F(History, IsTheSameAfterStoringAndRestoring) {
  fill(10, 1);
  second(1'250, 7, true);
  DemandHistory copy(kInterval, 50);
  copy.restore(history_.store());
  EXPECT_EQ(copy.newest(), 12);
  EXPECT_EQ(copy.at(10)->rate, 1);
  EXPECT_FALSE(copy.at(11));
  EXPECT_EQ(copy.at(12)->rate, 7);
  EXPECT_TRUE(copy.at(12)->limited);
}

TEST_F(History, KeepsTheNewestPartOfAStoredOneThatIsTooLong) {
  for (IntervalIndex index = 1; index <= 40; ++index) fill(index, static_cast<std::uint64_t>(index));
  DemandHistory shorter(kInterval, 5);
  shorter.restore(history_.store());
  EXPECT_FALSE(shorter.at(35));
  EXPECT_EQ(shorter.at(36)->rate, 36);
  EXPECT_EQ(shorter.at(40)->rate, 40);
}

class HistoryFile : public ::testing::Test {
 protected:
  static std::string encoded() {
    return encode_history({{{7}, Direction::kIngress, {100, {{1.5F}, {std::nanf("")}, {3.5F, true}}}}}, kInterval);
  }
  static ErrorCode error_of(std::string_view bytes, std::uint64_t interval_ns = kInterval) {
    const auto records = decode_history(bytes, interval_ns, "file");
    return records ? ErrorCode::kInternal : records.error().code;
  }
};

TEST_F(HistoryFile, ReturnsWhatWasEncoded) {
  const auto records = decode_history(encoded(), kInterval, "file").value();
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].vm, VmId{7});
  EXPECT_EQ(records[0].direction, Direction::kIngress);
  EXPECT_EQ(records[0].history.newest, 100);
  ASSERT_EQ(records[0].history.slots.size(), 3);
  EXPECT_EQ(records[0].history.slots[0].rate, 1.5F);
  EXPECT_TRUE(std::isnan(records[0].history.slots[1].rate));
  EXPECT_TRUE(records[0].history.slots[2].limited);
}

TEST_F(HistoryFile, OfEveryShorterLengthIsRefused) {
  const std::string whole = encoded();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(error_of(std::string_view(whole).substr(0, length)), ErrorCode::kMalformed) << length;
}

TEST_F(HistoryFile, WithAnyFlippedByteIsRefused) {
  for (std::size_t i = 0; i < encoded().size(); ++i) {
    std::string damaged = encoded();
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    EXPECT_EQ(error_of(damaged), ErrorCode::kMalformed) << i;
  }
}

TEST_F(HistoryFile, OfAnotherIntervalIsRefusedWithBothIntervals) {
  const auto records = decode_history(encoded(), 5 * kNanosPerSecond, "file");
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(records.error().message, "file: its intervals are 100 s, the configured ones 5 s");
}

}  // namespace
}  // namespace foreflow::forecast
