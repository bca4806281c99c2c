// SPDX-License-Identifier: Apache-2.0
// What InfluxStore does beyond the contract, against a real influxd: absent servers, rights, refusals.
#include "host/store/influx_store.h"

#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/http.h"
#include "tests/contract/store/bench.h"
#include "tests/contract/store/influx_server.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::store {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

class InfluxStoreTest : public ::testing::Test {
 protected:
  InfluxConfig config_for(const InfluxServer& server) const {
    InfluxConfig config;
    config.url = server.url();
    config.buffer = folder_.path() / "buffer";
    config.read_wait = std::chrono::seconds(20);
    config.longest_retry = std::chrono::seconds(1);
    return config;
  }
  std::filesystem::path secret(std::string_view password, bool only_owner = true) const {
    const auto path = folder_.path() / "password";
    std::ofstream(path) << password << '\n';
    using std::filesystem::perms;
    std::filesystem::permissions(path, only_owner ? perms(0600) : perms(0644));
    return path;
  }
  static std::unique_ptr<InfluxStore> open(const InfluxConfig& config) {
    auto opened = InfluxStore::open(config);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  static Error refusal(const InfluxConfig& config) {
    const auto opened = InfluxStore::open(config);
    EXPECT_FALSE(opened);
    return opened ? Error{ErrorCode::kInternal, "opened"} : opened.error();
  }
  // Reads until it works: the database comes back in its own time.
  static std::vector<Point> read_in_time(InfluxStore& store, const RangeQuery& query) {
    for (int i = 0; i < 300; ++i) {
      if (auto points = store.range(query)) return std::move(*points);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "never readable: " << store.health().last_error;
    return {};
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 300 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return holds();
  }

  test::TemporaryDirectory folder_;
};

TEST_F(InfluxStoreTest, AcknowledgesWhileTheServerIsDownAndDeliversWhenItIsBack) {
  InfluxServer server;
  auto store = open(config_for(server));
  server.stop();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(store->append({sample("web", kStart + i)}, Watermark{"dpu-1", 1, static_cast<std::uint64_t>(i + 1)}));
  EXPECT_EQ(store->health().pending_points, 5u);
  const auto unreachable = store->range(everything("web"));
  ASSERT_FALSE(unreachable);
  EXPECT_EQ(unreachable.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(*store->watermark("dpu-1", 1), 5u);

  server.start();
  EXPECT_EQ(read_in_time(*store, everything("web")).size(), 5u);
  EXPECT_EQ(store->health().pending_points, 0u);
}

TEST_F(InfluxStoreTest, DeliversAfterARestartWhatTheServerMissedBefore) {
  InfluxServer server;
  server.stop();
  auto store = open(config_for(server));
  ASSERT_TRUE(store->append({sample("web", kStart)}, Watermark{"dpu-1", 1, 9}));
  store.reset();
  server.start();
  store = open(config_for(server));
  EXPECT_EQ(*store->watermark("dpu-1", 1), 9u);
  EXPECT_EQ(*store->range(everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, LeavesNothingToSendAgainAfterACleanEnd) {
  InfluxServer server;
  auto store = open(config_for(server));
  ASSERT_TRUE(store->append({sample("web", kStart)}, Watermark{"dpu-1", 1, 9}));
  ASSERT_TRUE(store->range(everything("web")));
  store.reset();
  server.stop();
  store = open(config_for(server));
  EXPECT_EQ(store->health().pending_points, 0u);
  EXPECT_EQ(*store->watermark("dpu-1", 1), 9u);
}

TEST_F(InfluxStoreTest, ATypeConflictCostsItsOwnPointOnly) {
  InfluxServer server;
  auto store = open(config_for(server));
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  ASSERT_TRUE(store->range(everything("web")));
  auto conflict = sample("web", kStart + 1);
  conflict.fields[1].second = 0.5;  // an integer so far
  ASSERT_TRUE(store->append({conflict, sample("web", kStart + 2)}, std::nullopt));
  ASSERT_TRUE(store->append({sample("web", kStart + 3)}, std::nullopt));
  const auto points = store->range(everything("web"));
  ASSERT_TRUE(points) << points.error().message;
  EXPECT_EQ(*points, (std::vector{sample("web", kStart), sample("web", kStart + 2), sample("web", kStart + 3)}));
  EXPECT_EQ(store->health().rejected_points, 1u);
  EXPECT_EQ(store->health().pending_points, 0u);
  EXPECT_THAT(store->health().last_error, HasSubstr("field type conflict"));
}

TEST_F(InfluxStoreTest, SplitsWhatTheServerFindsTooLarge) {
  InfluxServer server({.max_body_size = 2'000});
  auto store = open(config_for(server));
  std::vector<Point> points;
  for (int i = 0; i < 3'000; ++i) points.push_back(sample("web", kStart + i * 977, i * 7'919));
  ASSERT_TRUE(store->append(points, std::nullopt));
  EXPECT_EQ(read_in_time(*store, everything("web")), points);
  EXPECT_EQ(store->health().rejected_points, 0u);
}

TEST_F(InfluxStoreTest, WritesAndReadsWithCredentials) {
  InfluxServer server({.auth = true});
  server.query("CREATE USER boss WITH PASSWORD 'S3cret pass' WITH ALL PRIVILEGES");
  auto config = config_for(server);
  config.username = "boss";
  config.password_file = secret("S3cret pass");
  auto store = open(config);
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  EXPECT_EQ(*store->range(everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, KeepsPointsWhileTheServerRefusesTheUserAndDeliversOnceItMayWrite) {
  InfluxServer server({.auth = true});
  const std::string boss = "boss:pw";
  server.query("CREATE USER boss WITH PASSWORD 'pw' WITH ALL PRIVILEGES");
  server.query("CREATE DATABASE foreflow; CREATE USER writer WITH PASSWORD 'w'; GRANT READ ON foreflow TO writer", "",
               boss);
  auto config = config_for(server);
  config.username = "writer";
  config.password_file = secret("w");
  auto store = open(config);
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  EXPECT_TRUE(eventually([&] { return store->health().last_error.find("HTTP 403") != std::string::npos; }))
      << store->health().last_error;
  EXPECT_EQ(store->health().pending_points, 1u);
  EXPECT_EQ(store->health().rejected_points, 0u);

  server.query("GRANT ALL ON foreflow TO writer", "", boss);
  EXPECT_EQ(read_in_time(*store, everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, WaitsForADatabaseThatItMayNotCreate) {
  InfluxServer server;
  auto config = config_for(server);
  config.create_database = false;
  auto store = open(config);
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  EXPECT_TRUE(eventually([&] { return store->health().last_error.find("database not found") != std::string::npos; }));
  EXPECT_EQ(store->health().pending_points, 1u);
  server.query("CREATE DATABASE foreflow");
  EXPECT_EQ(read_in_time(*store, everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, HoldsPointsWhileTheRetentionPolicyIsMissing) {
  InfluxServer server;
  server.query("CREATE DATABASE foreflow; DROP RETENTION POLICY autogen ON foreflow");
  auto store = open(config_for(server));
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  EXPECT_TRUE(eventually([&] {
    return store->health().last_error.find("retention policy not found") != std::string::npos;
  })) << store->health().last_error;
  EXPECT_EQ(store->health().pending_points, 1u);
  server.query("CREATE RETENTION POLICY autogen ON foreflow DURATION INF REPLICATION 1 DEFAULT");
  EXPECT_EQ(read_in_time(*store, everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, SpeaksTlsToAServerThatItsAuthorityVouchesFor) {
  InfluxServer server({.https = true});
  auto config = config_for(server);
  auto store = open(config);  // without the authority
  ASSERT_TRUE(store->append({sample("web", kStart)}, std::nullopt));
  const auto untrusted = store->range(everything("web"));
  ASSERT_FALSE(untrusted);
  EXPECT_THAT(untrusted.error().message, HasSubstr("certificate"));
  store.reset();

  config.ca = server.ca();
  store = open(config);
  EXPECT_EQ(*store->range(everything("web")), std::vector{sample("web", kStart)});
}

TEST_F(InfluxStoreTest, SaysThatTheBufferIsFullAndGoesOnOnceThereIsRoom) {
  InfluxServer server;
  server.stop();
  auto config = config_for(server);
  config.buffer_limit = 4'096;
  auto store = open(config);
  std::uint64_t accepted = 0;
  Status appended;
  while (appended && accepted < 1'000) {
    appended = store->append({sample("web", kStart + static_cast<std::int64_t>(accepted))},
                             Watermark{"dpu-1", 1, accepted + 1});
    if (appended) ++accepted;
  }
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(*store->watermark("dpu-1", 1), accepted);

  server.start();
  EXPECT_EQ(read_in_time(*store, everything("web")).size(), accepted);
  EXPECT_TRUE(eventually([&] { return store->append({sample("db", kStart)}, std::nullopt).has_value(); }));
}

TEST_F(InfluxStoreTest, RefusesAnUnusableConfigurationAndSaysWhatWouldBeRight) {
  InfluxConfig good;
  good.buffer = folder_.path() / "buffer";
  auto config = good;
  config.url = "localhost:8086";
  EXPECT_THAT(refusal(config).message, HasSubstr("http://"));
  config = good;
  config.url = "http://boss:pw@localhost:8086";
  EXPECT_THAT(refusal(config).message, HasSubstr("password_file"));
  config = good;
  config.username = "boss";
  EXPECT_THAT(refusal(config).message, HasSubstr("go together"));
  config.password_file = secret("pw", /*only_owner=*/false);
  EXPECT_THAT(refusal(config).message, HasSubstr("0600"));
  config = good;
  config.buffer.clear();
  EXPECT_THAT(refusal(config).message, HasSubstr("folder"));
}

TEST_F(InfluxStoreTest, TwoStoresCannotShareABuffer) {
  InfluxConfig config;
  config.buffer = folder_.path() / "buffer";
  config.url = "http://127.0.0.1:9";
  const auto first = open(config);
  EXPECT_THAT(refusal(config).message, HasSubstr("another process"));
}

}  // namespace
}  // namespace foreflow::store
