// SPDX-License-Identifier: Apache-2.0
// What SqliteStore does beyond the contract: foreign files, full disks, retention.
#include "host/store/sqlite_store.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/contract/store/bench.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::store {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open(SqliteConfig config = {}) {
    config.path = path_;
    auto opened = SqliteStore::open(std::move(config));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  void expect_refused(std::string_view reason) {
    const auto opened = SqliteStore::open(path_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidConfig);
    EXPECT_NE(opened.error().message.find(path_.string()), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find(reason), std::string::npos) << opened.error().message;
  }
  void run(const char* sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "series.db";
};

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabaseAndLeavesItAlone) {
  const std::string text(4'096, 'x');
  std::ofstream(path_) << text;
  expect_refused("not a SQLite database");
  std::ifstream file(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherProgram) {
  run("CREATE TABLE theirs(a)");
  expect_refused("another program");
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  open();
  run("PRAGMA user_version = 99");
  expect_refused("version 99");
}

TEST_F(SqliteStoreTest, NamesTheFileThatCannotBeOpened) {
  const auto opened = SqliteStore::open("/nonexistent/series.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kIo);
  EXPECT_NE(opened.error().message.find("/nonexistent/series.db"), std::string::npos) << opened.error().message;
}

TEST_F(SqliteStoreTest, AFullDatabaseIsExhaustedAndKeepsWhatItHas) {
  SqliteConfig config;
  config.size_limit = 256 * 1024;
  auto store = open(config);
  std::uint64_t stored = 0;
  Status appended;
  while (appended && stored < 10'000) {
    std::vector<Point> points;
    for (int i = 0; i < 100; ++i) points.push_back(sample("web", kStart + static_cast<std::int64_t>(stored) * 100 + i));
    appended = store->append(points, Watermark{"dpu-1", 1, stored + 1});
    if (appended) ++stored;
  }
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kExhausted);
  EXPECT_FALSE(store->health().last_error.empty());
  EXPECT_GT(stored, 0u);
  EXPECT_EQ(*store->watermark("dpu-1", 1), stored);
  EXPECT_EQ(store->range(everything("web"))->size(), stored * 100);
}

TEST_F(SqliteStoreTest, AppendsAfterARollbackUseNamesAnew) {
  SqliteConfig config;
  config.size_limit = 256 * 1024;
  auto store = open(config);
  std::vector<Point> too_much;
  for (int i = 0; i < 20'000; ++i) too_much.push_back(sample("new", kStart + i));
  ASSERT_FALSE(store->append(too_much, std::nullopt));
  ASSERT_TRUE(store->append({sample("new", kStart)}, std::nullopt));
  EXPECT_EQ(*store->range(everything("new")), std::vector{sample("new", kStart)});
}

TEST_F(SqliteStoreTest, WaitsForAnotherWriterAndThenSaysThatItIsLocked) {
  SqliteConfig config;
  config.busy_timeout = std::chrono::milliseconds(20);
  auto store = open(config);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto appended = store->append({sample("web", kStart)}, std::nullopt);
  sqlite3_close(other);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
}

TEST_F(SqliteStoreTest, RetentionDeletesOldPointsOfEachResolutionByItsOwnRule) {
  ManualClock clock(UnixNanos{kStart + 100 * kSecond});
  SqliteConfig config;
  config.clock = &clock;
  config.retention = {std::chrono::seconds(10), std::chrono::seconds(50), std::chrono::seconds(0),
                      std::chrono::seconds(0)};
  auto store = open(config);
  std::vector<Point> points;
  for (int i = 0; i <= 100; ++i) {
    for (const auto resolution : {Resolution::kRaw, Resolution::k1Min, Resolution::k5Min}) {
      points.push_back(sample("web", kStart + i * kSecond));
      points.back().resolution = resolution;
    }
  }
  ASSERT_TRUE(store->append(points, std::nullopt));
  ASSERT_TRUE(store->expire());
  const auto left = [&](Resolution resolution) {
    auto query = everything("web");
    query.resolution = resolution;
    return store->range(query)->size();
  };
  EXPECT_EQ(left(Resolution::kRaw), 11u);
  EXPECT_EQ(left(Resolution::k1Min), 51u);
  EXPECT_EQ(left(Resolution::k5Min), 101u);
}

TEST_F(SqliteStoreTest, RetentionTakesBoundedStepsAndReachesEverySeries) {
  ManualClock clock(UnixNanos{kStart});
  SqliteConfig config;
  config.clock = &clock;
  config.retention[0] = std::chrono::seconds(1);
  auto store = open(config);
  std::vector<Point> points;
  for (const auto* vm : {"a", "b", "c"})
    for (int i = 0; i < 4'000; ++i) points.push_back(sample(vm, kStart + i));
  ASSERT_TRUE(store->append(points, std::nullopt));
  clock.set(UnixNanos{kStart + 3600 * kSecond});
  ASSERT_TRUE(store->append({sample("d", kStart + 3600 * kSecond)}, std::nullopt));  // takes the first step
  std::size_t removed = 0;
  for (int step = 0; step < 5; ++step) {
    const auto gone = store->expire();
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_LE(*gone, SqliteStore::kExpireStep);
    removed += *gone;
  }
  EXPECT_EQ(removed, 12'000u - SqliteStore::kExpireStep);
  for (const auto* vm : {"a", "b", "c"}) EXPECT_TRUE(store->range(everything(vm))->empty()) << vm;
  EXPECT_EQ(store->range(everything("d"))->size(), 1u);
}

TEST_F(SqliteStoreTest, RetentionSparesReplayedCapturesAndIgnoresAWrongClock) {
  ManualClock clock(UnixNanos{kStart});
  SqliteConfig config;
  config.clock = &clock;
  config.retention[0] = std::chrono::seconds(60);
  auto store = open(config);
  const auto long_ago = kStart - 365 * 86'400 * kSecond;
  ASSERT_TRUE(store->append({sample("replayed", long_ago), sample("replayed", long_ago + kSecond)}, std::nullopt));
  ASSERT_TRUE(store->expire());
  EXPECT_EQ(store->range(everything("replayed"))->size(), 2u);

  ASSERT_TRUE(store->append({sample("web", kStart), sample("ahead", kStart + 9'000 * kSecond)}, std::nullopt));
  ASSERT_TRUE(store->expire());
  EXPECT_EQ(store->range(everything("web"))->size(), 1u);
}

TEST_F(SqliteStoreTest, KeepsABoundedNumberOfBootsOfADataplane) {
  auto store = open();
  for (std::uint64_t boot = 1; boot <= 200; ++boot) {
    ASSERT_TRUE(store->append({}, Watermark{"dpu-1", boot, 1}));
    ASSERT_TRUE(store->append({}, Watermark{"dpu-1", 1, boot}));  // the oldest is still alive
  }
  EXPECT_EQ(*store->watermark("dpu-1", 1), 200u);
  EXPECT_EQ(*store->watermark("dpu-1", 200), 1u);
  EXPECT_EQ(*store->watermark("dpu-1", 2), 0u);
}

}  // namespace
}  // namespace foreflow::store
