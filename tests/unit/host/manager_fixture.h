// SPDX-License-Identifier: Apache-2.0
// The whole manager on private directories and ports, asked through the command line.
// Place: tests/unit/host.
#pragma once
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/app/manager.h"
#include "host/cli/cli.h"
#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::app {

class ManagerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<test::TemporaryDirectory>();
    const auto command = std::string(FOREFLOW_SOURCE_DIR "/scripts/dev-certs ") + certificates_->path().string() +
                         " --manager foreflowd --operator operator --operator mallory >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  static void TearDownTestSuite() { certificates_.reset(); }

  model::ManagerConfig config() {
    model::ManagerConfig config{.state_dir = folder_ / "state"};
    config.link = {"127.0.0.1:0",
                   {*certificates_ / "ca.crt", *certificates_ / "foreflowd.crt", *certificates_ / "foreflowd.key"}};
    config.api = {"127.0.0.1:0", config.link.certificates, {"operator"}};
    config.store.path = folder_ / "series.db";
    config.forecast = {.interval_ns = 2 * kNanosPerSecond,
                       .horizon_ns = 24 * kNanosPerSecond,
                       .season_ns = 20 * kNanosPerSecond,
                       .history_ns = 3'600 * kNanosPerSecond};
    config.allocation.period_ns = kNanosPerSecond / 5;
    config.fleet = small_fleet();
    return config;
  }
  void start() {
    manager_.reset();
    auto started = Manager::start(config());
    ASSERT_TRUE(started) << started.error().message;
    manager_ = std::move(*started);
  }
  void SetUp() override { start(); }

  // A minute of one-second reports that ends now, or as far ahead as the clock of its dataplane is.
  void report_minute(BytesPerSecond rate, std::chrono::nanoseconds ahead = {}) {
    const auto end = SystemClock{}.now().value + ahead.count();
    auto& sessions = manager_->sessions();
    ASSERT_TRUE(sessions.on_hello({.dataplane = "dpu0", .version = "test", .boot_id = 1}));
    for (std::uint64_t second = 1; second <= 60; ++second) {
      wire::Report report{.sequence = ++sequence_, .interval_ns = kNanosPerSecond};
      report.time.value = end - static_cast<std::int64_t>((60 - second) * kNanosPerSecond);
      report.vms.push_back({.vm = manager_->vms("web")->at(0).vm.id});
      auto& egress = report.vms[0].directions[index(Direction::kEgress)];
      egress.offered_bytes = egress.passed_bytes = rate.value;
      report.top_flows.push_back({.vm = report.vms[0].vm,
                                  .local = "10.0.0.1:80",
                                  .protocol = "http",
                                  .source = "payload",
                                  .behaviour = "bulk",
                                  .fingerprint = "t13d1516h2_8daaf6152771_e5627efa2ab1",
                                  .encrypted_hello = true});
      ASSERT_TRUE(sessions.on_report("dpu0", 1, report));
    }
  }

  struct Ran {
    cli::ExitCode code;
    std::string out, err;
  };
  Ran foreflow(std::vector<std::string> words, const std::string& who = "operator") {
    words.insert(words.end(),
                 {"--manager", "127.0.0.1:" + std::to_string(manager_->api_port()), "--ca", *certificates_ / "ca.crt",
                  "--cert", *certificates_ / (who + ".crt"), "--key", *certificates_ / (who + ".key")});
    std::ostringstream out, err;
    const auto code = cli::run(
        words, [](const std::string&) { return std::string(); }, out, err);
    return {code, out.str(), err.str()};
  }
  nlohmann::json json(std::vector<std::string> words) {
    words.insert(words.end(), {"-o", "json"});
    const auto ran = foreflow(words);
    EXPECT_EQ(ran.code, cli::ExitCode::kDone) << ran.err;
    return nlohmann::json::parse(ran.out, nullptr, false);
  }

  static inline std::unique_ptr<test::TemporaryDirectory> certificates_;
  test::TemporaryDirectory folder_;
  std::unique_ptr<Manager> manager_;
  std::uint64_t sequence_ = 0;
};

}  // namespace foreflow::app
