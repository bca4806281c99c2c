// SPDX-License-Identifier: Apache-2.0
// What every SeriesStore keeps to.
#include <atomic>
#include <csignal>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/store/rollup.h"
#include "tests/contract/store/bench.h"
#include "tests/contract/store/kinds.h"

namespace foreflow::store {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

class StoreContract : public ::testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    bench_ = GetParam().make();
    open();
  }
  void open() {
    store_.reset();
    auto opened = bench_->open();
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  void append(const std::vector<Point>& points, const std::optional<Watermark>& watermark = {}) {
    const auto appended = store_->append(points, watermark);
    ASSERT_TRUE(appended) << appended.error().message;
  }
  std::vector<Point> range(const RangeQuery& query) {
    auto points = store_->range(query);
    EXPECT_TRUE(points) << points.error().message;
    return points ? std::move(*points) : std::vector<Point>{};
  }
  std::optional<Point> last(Measurement measurement, const std::string& vm) {
    auto point = store_->last(measurement, vm);
    EXPECT_TRUE(point) << point.error().message;
    return point ? std::move(*point) : std::nullopt;
  }

  std::unique_ptr<StoreBench> bench_;
  std::unique_ptr<SeriesStore> store_;
};

TEST_P(StoreContract, ReturnsWhatWasAcknowledgedAtOnce) {
  append({sample("web", kStart)});
  EXPECT_EQ(range(everything("web")), std::vector{sample("web", kStart)});
}

TEST_P(StoreContract, ReturnsWhatWasAcknowledgedAfterReopening) {
  append({sample("web", kStart)}, Watermark{"dpu-1", 7, 3});
  open();
  EXPECT_EQ(range(everything("web")), std::vector{sample("web", kStart)});
  EXPECT_EQ(*store_->watermark("dpu-1", 7), 3u);
}

TEST_P(StoreContract, ARepeatedReportChangesNothing) {
  for (int i = 0; i < 3; ++i) append({sample("web", kStart), sample("db", kStart)}, Watermark{"dpu-1", 7, 3});
  EXPECT_EQ(range(everything("web")), std::vector{sample("web", kStart)});
  EXPECT_EQ(range(everything("db")), std::vector{sample("db", kStart)});
  EXPECT_EQ(*store_->watermark("dpu-1", 7), 3u);
}

TEST_P(StoreContract, ALaterPointReplacesTheFieldsItNamesAndLeavesTheOthers) {
  append({sample("web", kStart, 1)});
  append({Point{Measurement::kVmNet,
                Resolution::kRaw,
                sample("web", kStart).tags,
                UnixNanos{kStart},
                {{"added", std::int64_t{5}}, {"tx_offered_bytes", std::int64_t{2}}}}});
  const auto points = range(everything("web"));
  ASSERT_EQ(points.size(), 1u);
  const decltype(Point::fields) expected{
      {"added", std::int64_t{5}}, {"share", 0.25}, {"tx_offered_bytes", std::int64_t{2}}};
  EXPECT_EQ(points.front().fields, expected);
}

TEST_P(StoreContract, KeepsOneWatermarkForEachBootAndNeverLowersIt) {
  append({sample("web", kStart)}, Watermark{"dpu-1", 1, 100});
  append({sample("web", kStart + 1)}, Watermark{"dpu-1", std::numeric_limits<std::uint64_t>::max(), 2});
  append({sample("web", kStart + 2)}, Watermark{"dpu-2", 1, 5});
  append({sample("web", kStart + 3)}, Watermark{"dpu-1", 1, 99});
  EXPECT_EQ(*store_->watermark("dpu-1", 1), 100u);
  EXPECT_EQ(*store_->watermark("dpu-1", std::numeric_limits<std::uint64_t>::max()), 2u);
  EXPECT_EQ(*store_->watermark("dpu-2", 1), 5u);
  EXPECT_EQ(*store_->watermark("dpu-2", 2), 0u);
}

TEST_P(StoreContract, TakesAWatermarkWithoutPoints) {
  append({}, Watermark{"dpu-1", 1, 4});
  open();
  EXPECT_EQ(*store_->watermark("dpu-1", 1), 4u);
}

TEST_P(StoreContract, AnswersInOrderOfTimeWhateverTheOrderOfArrival) {
  for (const int i : {3, 1, 2, 0}) append({sample("web", kStart + i * kSecond, i)});
  const auto points = range(everything("web"));
  ASSERT_EQ(points.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(points[i], sample("web", kStart + i * kSecond, i));
}

TEST_P(StoreContract, MergesTheSeriesOfAVmThatMovedInOrderOfTime) {
  auto moved = sample("web", kStart + kSecond);
  moved.tags.dpu = "dpu-2";
  append({sample("web", kStart + 2 * kSecond), moved, sample("web", kStart)});
  EXPECT_EQ(range(everything("web")), (std::vector{sample("web", kStart), moved, sample("web", kStart + 2 * kSecond)}));
}

TEST_P(StoreContract, ARangeIncludesItsStartAndExcludesItsEnd) {
  for (int i = 0; i < 4; ++i) append({sample("web", kStart + i)});
  const auto points =
      range({Measurement::kVmNet, Resolution::kRaw, "web", UnixNanos{kStart + 1}, UnixNanos{kStart + 3}});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points.front().time.value, kStart + 1);
  EXPECT_EQ(points.back().time.value, kStart + 2);
}

TEST_P(StoreContract, AnEmptyRangeIsNoError) {
  EXPECT_TRUE(range(everything("nobody")).empty());
  append({sample("web", kStart)});
  EXPECT_TRUE(range({Measurement::kVmNet, Resolution::kRaw, "web", UnixNanos{kStart}, UnixNanos{kStart}}).empty());
  EXPECT_TRUE(range(everything("web", Measurement::kVmApp)).empty());
}

TEST_P(StoreContract, KeepsResolutionsAndMeasurementsApart) {
  auto tier = sample("web", kStart, 60);
  tier.resolution = Resolution::k1Min;
  auto app = sample("web", kStart, 70);
  app.measurement = Measurement::kVmApp;
  append({sample("web", kStart), tier, app});
  auto query = everything("web");
  EXPECT_EQ(range(query), std::vector{sample("web", kStart)});
  query.resolution = Resolution::k1Min;
  EXPECT_EQ(range(query), std::vector{tier});
  EXPECT_EQ(range(everything("web", Measurement::kVmApp)), std::vector{app});
}

TEST_P(StoreContract, FindsADataplanesPointsByItsId) {
  Point point{Measurement::kDataplane,
              Resolution::kRaw,
              Tags{"host-1", "dpu-1", ""},
              UnixNanos{kStart},
              {{"rx_packets", std::int64_t{9}}}};
  append({point});
  EXPECT_EQ(range(everything("dpu-1", Measurement::kDataplane)), std::vector{point});
  EXPECT_EQ(last(Measurement::kDataplane, "dpu-1"), point);
}

TEST_P(StoreContract, LastIsTheNewestPointOfTheVm) {
  EXPECT_EQ(last(Measurement::kVmNet, "web"), std::nullopt);
  auto moved = sample("web", kStart + kSecond);
  moved.tags.dpu = "dpu-2";
  append({sample("web", kStart), moved, sample("db", kStart + 5 * kSecond)});
  EXPECT_EQ(last(Measurement::kVmNet, "web"), moved);
}

TEST_P(StoreContract, KeepsValuesExactly) {
  Point point = sample("web", kStart);
  point.fields = {{"a", std::numeric_limits<std::int64_t>::max()},
                  {"b", std::numeric_limits<std::int64_t>::min()},
                  {"c", std::int64_t{0}},
                  {"d", 3.0},
                  {"e", -1.0 / 3},
                  {"f", 1e300}};
  append({point});
  EXPECT_EQ(range(everything("web")), std::vector{point});
}

TEST_P(StoreContract, TakesNamesWithAnyCharacters) {
  const std::vector<std::string> names{
      "a b",    "a,b=c",   "say \"hi\"", "it's",  "line\nbreak\ttab\r",        "back\\",      "\\",  "a\\,b",
      "100%0A", "Büro 本", "#hash",      " lead", std::string("nul\0byte", 8), "' OR 1=1 --", "/.*/"};
  for (const auto& name : names) {
    auto point = sample(name, kStart);
    point.tags.host = name;
    point.fields = {{name, std::int64_t{1}}};
    append({point});
    open();
    EXPECT_EQ(range(everything(name)), std::vector{point}) << name;
    EXPECT_EQ(last(Measurement::kVmNet, name), point) << name;
    append({}, Watermark{name, 1, 2});
    EXPECT_EQ(*store_->watermark(name, 1), 2u) << name;
  }
}

TEST_P(StoreContract, HoldsTheTiersOfTheRollup) {
  Rollup rollup(*store_, RollupConfig{});
  const auto hour = 3'600 * kSecond;
  const auto start = kStart / hour * hour;
  for (int second = 1; second <= 120; ++second) {
    auto point = sample("web", start + second * kSecond, second);
    point.fields = {{"interval_ms", std::int64_t{1'000}}, {"tx_offered_bytes", std::int64_t{second}}};
    append({point});
    rollup.observe({point}, point.time);
  }
  ASSERT_TRUE(rollup.step(UnixNanos{start + 2 * hour}));
  auto query = everything("web");
  query.resolution = Resolution::k1Min;
  const auto minutes = range(query);
  ASSERT_EQ(minutes.size(), 2u);
  const decltype(Point::fields) second_minute{{"interval_ms", std::int64_t{60'000}},
                                              {"tx_offered_bytes", std::int64_t{(61 + 120) * 30}},
                                              {"tx_p95_rate", std::int64_t{117}}};
  EXPECT_EQ(minutes[1].fields, second_minute);
  EXPECT_EQ(minutes[1].time.value, start + 60 * kSecond);
  query.resolution = Resolution::k1Hour;
  EXPECT_EQ(range(query).size(), 1u);
}

TEST_P(StoreContract, RefusesWhatCanNeverBeStoredAndStoresNothingOfIt) {
  const auto with = [](auto change) {
    auto point = sample("bad", kStart);
    change(point);
    return point;
  };
  const std::vector<Point> bad{
      with([](Point& p) { p.fields.clear(); }),
      with([](Point& p) { p.fields[0].second = std::numeric_limits<double>::quiet_NaN(); }),
      with([](Point& p) { p.fields[0].second = std::numeric_limits<double>::infinity(); }),
      with([](Point& p) { p.fields[0].first.clear(); }),
      with([](Point& p) { p.fields.push_back(p.fields[0]); }),
      with([](Point& p) { p.tags.vm.clear(); }),
      with([](Point& p) { p.tags.vm = "\xff\xfe"; }),
      with([](Point& p) { p.tags.host = std::string(70'000, 'x'); }),
  };
  for (const auto& point : bad) {
    const auto appended = store_->append({sample("good", kStart), point}, Watermark{"dpu-1", 1, 1});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, ErrorCode::kMalformed);
    EXPECT_NE(appended.error().message.find("point 1 (vm_net)"), std::string::npos) << appended.error().message;
  }
  EXPECT_TRUE(range(everything("good")).empty());
  EXPECT_EQ(*store_->watermark("dpu-1", 1), 0u);
}

TEST_P(StoreContract, TakesPointsFromManyThreads) {
  constexpr int kThreads = 4, kEach = 25;
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const Watermark mark{"dpu-" + std::to_string(t), 1, static_cast<std::uint64_t>(i + 1)};
        if (!store_->append({sample("vm-" + std::to_string(t), kStart + i)}, mark)) ++failed;
        if (i % 10 == 0 && !store_->range(everything("vm-0"))) ++failed;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_EQ(range(everything("vm-" + std::to_string(t))).size(), std::size_t{kEach});
    EXPECT_EQ(*store_->watermark("dpu-" + std::to_string(t), 1), std::uint64_t{kEach});
  }
}

// The child says through a pipe what was acknowledged, and is killed in the middle of its work.
TEST_P(StoreContract, KeepsAllThatWasAcknowledgedWhenTheProcessIsKilled) {
  store_.reset();
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto opened = bench_->open();
    for (std::uint64_t i = 1; opened; ++i) {
      const auto time = kStart + static_cast<std::int64_t>(i);
      const auto appended = (*opened)->append({sample("web", time), sample("db", time)}, Watermark{"dpu-1", 1, i});
      if (!appended || write(pipe_ends[1], &i, sizeof i) != sizeof i) break;
    }
    _exit(1);
  }
  close(pipe_ends[1]);
  std::uint64_t acknowledged = 0;
  while (acknowledged < 200 && read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
  }
  kill(child, SIGKILL);
  while (read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

  open();
  const auto mark = *store_->watermark("dpu-1", 1);
  EXPECT_GE(mark, acknowledged);
  EXPECT_LE(mark, acknowledged + 1);  // one append may have been on its way
  EXPECT_EQ(range(everything("web")).size(), mark);
  EXPECT_EQ(range(everything("db")).size(), mark);
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract, ::testing::ValuesIn(store_kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace foreflow::store
