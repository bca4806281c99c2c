// SPDX-License-Identifier: Apache-2.0
#include "host/store/rollup.h"

#include <map>

#include <gtest/gtest.h>

namespace foreflow::store {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kStart = 472'222 * kHour;  // a full hour

// Keeps points in a map; refuses when told to.
class MemoryStore final : public SeriesStore {
 public:
  Status append(const std::vector<Point>& points, const std::optional<Watermark>&) override {
    if (down) return fail(ErrorCode::kUnavailable, "down");
    for (const auto& point : points) points_[{point.measurement, point.resolution, point.tags, point.time}] = point;
    return {};
  }
  Result<std::vector<Point>> range(const RangeQuery& query) override {
    if (down) return fail(ErrorCode::kUnavailable, "down");
    std::vector<Point> found;
    for (const auto& [key, point] : points_) {
      const auto& subject = point.measurement == Measurement::kDataplane ? point.tags.dpu : point.tags.vm;
      if (point.measurement == query.measurement && point.resolution == query.resolution && subject == query.vm &&
          point.time >= query.from && point.time < query.to)
        found.push_back(point);
    }
    return found;
  }
  Result<std::optional<Point>> last(Measurement, const std::string&) override { return std::nullopt; }
  Result<std::uint64_t> watermark(const std::string&, std::uint64_t) override { return 0; }
  Health health() const override { return {}; }

  bool down = false;

 private:
  std::map<std::tuple<Measurement, Resolution, Tags, UnixNanos>, Point> points_;
};

Point net(std::int64_t time, std::int64_t offered, std::int64_t peak = 0) {
  return Point{Measurement::kVmNet,
               Resolution::kRaw,
               Tags{"h", "d", "web"},
               UnixNanos{time},
               {{"tx_offered_bytes", offered}, {"tx_peak_10ms_bytes", peak}, {"interval_ms", std::int64_t{1'000}}}};
}

std::int64_t value(const Point& point, const std::string& name) {
  for (const auto& [key, v] : point.fields)
    if (key == name) return std::get<std::int64_t>(v);
  ADD_FAILURE() << "no field " << name;
  return -1;
}

TEST(BucketStart, AReportBelongsToTheBucketThatItsIntervalLiesIn) {
  EXPECT_EQ(bucket_start(UnixNanos{kStart}, Resolution::k1Min).value, kStart - 60 * kSecond);
  EXPECT_EQ(bucket_start(UnixNanos{kStart + 1}, Resolution::k1Min).value, kStart);
  EXPECT_EQ(bucket_start(UnixNanos{kStart + 60 * kSecond}, Resolution::k1Min).value, kStart);
  EXPECT_EQ(bucket_start(UnixNanos{-1}, Resolution::k1Min).value, -60 * kSecond);
}

TEST(Aggregate, SumsDeltasAndKeepsTheLargestPeak) {
  const auto points = aggregate({net(kStart + 1 * kSecond, 100, 7), net(kStart + 2 * kSecond, 50, 9)},
                                Resolution::k1Min, UnixNanos{kStart});
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].resolution, Resolution::k1Min);
  EXPECT_EQ(points[0].time.value, kStart);
  EXPECT_EQ(value(points[0], "tx_offered_bytes"), 150);
  EXPECT_EQ(value(points[0], "tx_peak_10ms_bytes"), 9);
  EXPECT_EQ(value(points[0], "interval_ms"), 2'000);
}

TEST(Aggregate, TheP95IsTheNearestRankOfTheReportsRates) {
  std::vector<Point> raw;
  for (int i = 1; i <= 60; ++i) raw.push_back(net(kStart + i * kSecond, i * 10));
  EXPECT_EQ(value(aggregate(raw, Resolution::k1Min, UnixNanos{kStart})[0], "tx_p95_rate"), 570);  // rank 57 of 60
  EXPECT_EQ(value(aggregate({net(kStart + 1, 42)}, Resolution::k1Min, UnixNanos{kStart})[0], "tx_p95_rate"), 42);
}

TEST(Aggregate, RatesCountTheirOwnInterval) {
  auto slow = net(kStart + 1, 42'000);
  slow.fields[2].second = std::int64_t{10'000};
  EXPECT_EQ(value(aggregate({slow}, Resolution::k1Min, UnixNanos{kStart})[0], "tx_p95_rate"), 4'200);
}

TEST(Aggregate, KeepsTheDataplanesOfAVmThatMovedApartAndSaturatesSums) {
  auto moved = net(kStart + 2, 5);
  moved.tags.dpu = "e";
  const auto points = aggregate({net(kStart + 1, INT64_MAX), net(kStart + 2, 1), moved, net(kStart + 61 * kSecond, 3)},
                                Resolution::k1Min, UnixNanos{kStart});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(value(points[0], "tx_offered_bytes"), INT64_MAX);
  EXPECT_EQ(value(points[1], "tx_offered_bytes"), 5);
}

class RollupTest : public ::testing::Test {
 protected:
  void report(const Point& point, std::int64_t now) {
    ASSERT_TRUE(store_.append({point}, std::nullopt));
    rollup_.observe({point}, UnixNanos{now});
  }
  std::vector<Point> tier(Resolution resolution) {
    return *store_.range({Measurement::kVmNet, resolution, "web", UnixNanos{0}, UnixNanos{INT64_MAX}});
  }

  MemoryStore store_;
  RollupConfig config_;
  Rollup rollup_{store_, config_};
};

TEST_F(RollupTest, WritesABucketOnceItHasEndedAndNotBefore) {
  report(net(kStart + kSecond, 100), kStart + kSecond);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + 60 * kSecond}));
  EXPECT_TRUE(tier(Resolution::k1Min).empty());
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + 63 * kSecond}));
  ASSERT_EQ(tier(Resolution::k1Min).size(), 1u);
  EXPECT_TRUE(tier(Resolution::k5Min).empty());
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + kHour + 3 * kSecond}));
  EXPECT_EQ(tier(Resolution::k5Min).size(), 1u);
  EXPECT_EQ(tier(Resolution::k1Hour).size(), 1u);
  EXPECT_EQ(rollup_.counters().waiting, 0u);
}

TEST_F(RollupTest, ALateReportOpensItsBucketAgain) {
  report(net(kStart + kSecond, 100), kStart + kSecond);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + 2 * kHour}));
  report(net(kStart + 2 * kSecond, 11), kStart + 2 * kHour);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + 2 * kHour}));
  for (const auto resolution : kTiers) EXPECT_EQ(value(tier(resolution).at(0), "tx_offered_bytes"), 111);
}

TEST_F(RollupTest, ARepeatedReportChangesNothing) {
  for (int i = 0; i < 3; ++i) report(net(kStart + kSecond, 100), kStart + kSecond);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + 2 * kHour}));
  EXPECT_EQ(value(tier(Resolution::k1Hour).at(0), "tx_offered_bytes"), 100);
}

TEST_F(RollupTest, ARestartLosesNoBucket) {
  report(net(kStart - kSecond, 70), kStart);
  report(net(kStart + kSecond, 100), kStart + kSecond);
  Rollup successor(store_, config_);  // the first never stepped
  successor.observe({net(kStart + kSecond, 100)}, UnixNanos{kStart + kSecond});
  ASSERT_TRUE(successor.step(UnixNanos{kStart + kHour + 3 * kSecond}));
  const auto minutes = tier(Resolution::k1Min);
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(value(minutes[0], "tx_offered_bytes"), 70);
  EXPECT_EQ(tier(Resolution::k1Hour).size(), 2u);
}

TEST_F(RollupTest, ARestartAfterAnOutageOfHoursLosesNoBucket) {
  report(net(kStart - 5 * kHour + kSecond, 10), kStart - 5 * kHour + kSecond);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart - 4 * kHour + 10 * kSecond}));
  ASSERT_EQ(tier(Resolution::k1Hour).size(), 1u);
  // Until the restart the database took points and no tiers.
  report(net(kStart - 3 * kHour + kSecond, 20), kStart - 3 * kHour + kSecond);
  report(net(kStart - kHour + 1'800 * kSecond, 30), kStart - kHour + 1'800 * kSecond);
  report(net(kStart + 60 * kSecond, 40), kStart + 60 * kSecond);
  Rollup successor(store_, config_);
  successor.observe({net(kStart + 1'200 * kSecond, 50)}, UnixNanos{kStart + 1'200 * kSecond});
  store_.down = true;
  EXPECT_FALSE(successor.step(UnixNanos{kStart + 1'200 * kSecond}));
  store_.down = false;
  ASSERT_TRUE(store_.append({net(kStart + 1'200 * kSecond, 50)}, std::nullopt));
  ASSERT_TRUE(successor.step(UnixNanos{kStart + kHour + 3 * kSecond}));
  const auto offered = [&](Resolution resolution) {
    std::vector<std::int64_t> found;
    for (const auto& point : tier(resolution)) found.push_back(value(point, "tx_offered_bytes"));
    return found;
  };
  EXPECT_EQ(offered(Resolution::k1Hour), (std::vector<std::int64_t>{10, 20, 30, 90}));
  EXPECT_EQ(offered(Resolution::k1Min), (std::vector<std::int64_t>{10, 20, 30, 40, 50}));
}

TEST_F(RollupTest, ASeriesWithoutTiersIsLookedThroughForABoundedTime) {
  report(net(kStart - 30 * kHour, 10), kStart);
  report(net(kStart - 20 * kHour, 20), kStart);
  Rollup successor(store_, config_);
  successor.observe({net(kStart + kSecond, 30)}, UnixNanos{kStart + kSecond});
  ASSERT_TRUE(store_.append({net(kStart + kSecond, 30)}, std::nullopt));
  ASSERT_TRUE(successor.step(UnixNanos{kStart + kHour + 3 * kSecond}));
  EXPECT_EQ(tier(Resolution::k1Hour).size(), 2u);
}

TEST_F(RollupTest, TriesAgainAfterTheStoreFailed) {
  report(net(kStart + kSecond, 100), kStart + kSecond);
  store_.down = true;
  EXPECT_FALSE(rollup_.step(UnixNanos{kStart + 2 * kHour}));
  EXPECT_GT(rollup_.counters().waiting, 0u);
  store_.down = false;
  EXPECT_TRUE(rollup_.step(UnixNanos{kStart + 2 * kHour}));
  EXPECT_EQ(tier(Resolution::k1Min).size(), 1u);
}

TEST_F(RollupTest, LeavesBucketsWhoseRawPointsMayBeGone) {
  const auto month = 30 * 24 * kHour;
  report(net(kStart + month, 1), kStart + month);
  report(net(kStart, 5), kStart + month);
  EXPECT_EQ(rollup_.counters().too_late, 1u);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + month + 2 * kHour}));
  EXPECT_EQ(tier(Resolution::k1Hour).size(), 1u);
}

TEST_F(RollupTest, ARecordingOfThePastIsNotLate) {
  const auto years = 9 * 365 * 24 * kHour;
  report(net(kStart, 5), kStart + years);
  EXPECT_EQ(rollup_.counters().too_late, 0u);
  ASSERT_TRUE(rollup_.step(UnixNanos{kStart + years}));
  EXPECT_EQ(tier(Resolution::k1Min).size(), 1u);
}

TEST(DirtyBuckets, StaysWithinItsBoundAndCountsWhatItForgets) {
  DirtyBuckets dirty(10);
  for (int i = 0; i < 100; ++i) dirty.touch(net(kStart + i * 60 * kSecond, 1));
  EXPECT_EQ(dirty.count(), 10u);
  EXPECT_GT(dirty.forgotten(), 0u);
}

TEST(DirtyBuckets, IgnoresWhatHasNoTiersAndTimesThatNeverCome) {
  DirtyBuckets dirty(10);
  auto forecast = net(kStart, 1);
  forecast.measurement = Measurement::kVmForecast;
  dirty.touch(forecast);
  auto tier = net(kStart, 1);
  tier.resolution = Resolution::k1Min;
  dirty.touch(tier);
  dirty.touch(net(INT64_MAX, 1));
  EXPECT_EQ(dirty.count(), 0u);
  dirty.touch(net(INT64_MIN, 1));
  EXPECT_GT(dirty.count(), 0u);
}

}  // namespace
}  // namespace foreflow::store
