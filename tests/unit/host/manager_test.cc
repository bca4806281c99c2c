// SPDX-License-Identifier: Apache-2.0
// The whole manager on private directories and ports, seen through the command line as an operator sees it.
#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "host/app/preflight.h"
#include "support/source_paths.h"
#include "tests/unit/host/manager_fixture.h"

namespace foreflow::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ManagerTest, TheCommandLineShowsWhatReportsSaid) {
  report_minute(megabits(80));
  const auto vms = json({"vm", "list"});
  EXPECT_EQ(vms[0]["name"], "web");
  EXPECT_EQ(vms[0]["traffic"]["egress"]["offered_rate"], megabits(80).value);
  EXPECT_EQ(vms[0]["traffic"]["egress"]["totals"]["offered_bytes"], 60 * megabits(80).value);
  EXPECT_EQ(json({"conn", "top"})[0]["protocol"], "http");
  EXPECT_EQ(json({"vm", "top"})[0]["name"], "web");
  EXPECT_TRUE(json({"dataplane", "show", "dpu0"})["connected"]);
  const auto forecast = json({"forecast", "show", "web"});
  EXPECT_EQ(forecast["leads"].size(), 12u);
  EXPECT_FALSE(forecast["history"].empty());
  EXPECT_GE(forecast["leads"][0]["rates"][4], forecast["leads"][0]["rates"][0]);
  EXPECT_EQ(json({"rule", "list"}).size(), 4u);
}

TEST_F(ManagerTest, FlowsShowWhatTheirVerdictsRestOn) {
  report_minute(megabits(80));
  EXPECT_EQ(json({"conn", "top"})[0]["source"], "payload");
  EXPECT_THAT(foreflow({"conn", "top"}).out, HasSubstr("payload"));
  const auto shown = foreflow({"conn", "top", "--evidence"}).out;
  for (const auto* word : {"payload", "bulk", "t13d1516h2_8daaf6152771_e5627efa2ab1", "yes"})
    EXPECT_THAT(shown, HasSubstr(word));
}

TEST_F(ManagerTest, AnAnomalyIsAnEventOfItsDataplane) {
  for (const int minute : {1, 2, 3}) report_minute(megabits(80), std::chrono::minutes(minute));
  report_minute(megabits(400), std::chrono::minutes(4));
  std::string shown;
  for (int tries = 0; tries < 100 && shown.find("anomaly") == std::string::npos; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    shown = foreflow({"dataplane", "show", "dpu0"}).out;
  }
  EXPECT_THAT(shown, HasSubstr("anomaly: web egress: 400 Mbit/s, above what is usual"));
}

TEST_F(ManagerTest, CertificatesThatDoNotFitAreNotTakenForAnAbsentManager) {
  const auto other = folder_ / "other";
  const auto command =
      std::string(FOREFLOW_SOURCE_DIR "/scripts/dev-certs ") + other.string() + " --operator operator >/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto ours = [&](const std::filesystem::path& ca, const std::filesystem::path& pair) {
    std::ostringstream out, err;
    const auto code = cli::run(
        {"vm", "list", "--manager", "127.0.0.1:" + std::to_string(manager_->api_port()), "--ca", ca, "--cert",
         pair / "operator.crt", "--key", pair / "operator.key"},
        [](const std::string&) { return std::string(); }, out, err);
    return Ran{code, out.str(), err.str()};
  };
  const auto untrusted = ours(other / "ca.crt", other);
  EXPECT_EQ(untrusted.code, cli::ExitCode::kDenied);
  EXPECT_THAT(untrusted.err, HasSubstr("the manager's certificate is not signed by"));
  // Both authorities in one file: we trust the manager, and it does not trust us.
  const auto both = folder_ / "both.crt";
  std::ofstream(both) << std::ifstream(*certificates_ / "ca.crt").rdbuf() << std::ifstream(other / "ca.crt").rdbuf();
  const auto hung_up = ours(both, other);
  EXPECT_EQ(hung_up.code, cli::ExitCode::kDenied);
  EXPECT_THAT(hung_up.err, HasSubstr("it does not trust"));
  const auto mixed = ours(*certificates_ / "ca.crt", other);
  EXPECT_EQ(mixed.code, cli::ExitCode::kFailure);
  EXPECT_THAT(mixed.err, HasSubstr("operator.crt"));
}

TEST_F(ManagerTest, AnAbsentManagerIsUnreachable) {
  const auto address = "127.0.0.1:" + std::to_string(manager_->api_port());
  manager_.reset();
  std::ostringstream out, err;
  const auto code = cli::run(
      {"vm", "list", "--manager", address, "--ca", *certificates_ / "ca.crt", "--cert", *certificates_ / "operator.crt",
       "--key", *certificates_ / "operator.key"},
      [](const std::string&) { return std::string(); }, out, err);
  EXPECT_EQ(code, cli::ExitCode::kUnreachable);
  EXPECT_THAT(err.str(), HasSubstr("no manager answers at " + address));
}

TEST_F(ManagerTest, PreflightLooksAtCertificatesAndSecrets) {
  const auto now = SystemClock{}.now();
  auto good = config();
  EXPECT_TRUE(preflight(good, now)) << preflight(good, now).error().message;
  auto bad = config();
  bad.link.certificates.certificate = *certificates_ / "operator.crt";
  bad.api.certificates.key = folder_ / "absent.key";
  bad.store.password_file = folder_ / "absent.password";
  const auto why = preflight(bad, now).error().message;
  EXPECT_THAT(why, HasSubstr("foreflowd.key: is not the key of"));
  EXPECT_THAT(why, HasSubstr("absent.key"));
  EXPECT_THAT(why, HasSubstr("absent.password"));
  bad = config();
  bad.link.certificates.certificate = *certificates_ / "operator.crt";
  bad.link.certificates.key = *certificates_ / "operator.key";
  EXPECT_THAT(preflight(bad, now).error().message, HasSubstr("is not made for a server"));
}

TEST_F(ManagerTest, ADataplaneShowsHowWellItsReportsAreCompressed) {
  auto& sessions = manager_->sessions();
  ASSERT_TRUE(sessions.on_hello({.dataplane = "dpu0", .version = "test", .boot_id = 1}));
  for (int i = 0; i < 2; ++i) sessions.on_received("dpu0", {.raw = 1'500, .compressed = 400});
  const auto shown = json({"dataplane", "show", "dpu0"});
  EXPECT_EQ(shown["report_raw_bytes"], 3'000);
  EXPECT_EQ(shown["report_compressed_bytes"], 800);
  EXPECT_THAT(foreflow({"dataplane", "show", "dpu0"}).out,
              HasSubstr(format_bytes(Bytes{3'000}) + " compressed to " + format_bytes(Bytes{800})));
}

TEST_F(ManagerTest, ADataplaneShowsItsUplinksQueues) {
  auto& sessions = manager_->sessions();
  ASSERT_TRUE(sessions.on_hello({.dataplane = "dpu0", .version = "test", .boot_id = 1}));
  EXPECT_THAT(foreflow({"dataplane", "show", "dpu0"}).out, Not(HasSubstr("LONGEST WAIT"))) << "nothing ever waited";
  wire::Report report{.interval_ns = kNanosPerSecond};
  report.time = SystemClock{}.now();
  report.ports.push_back({.port = "uplink",
                          .queues = {{.queue = 3,
                                      .passed_packets = 10,
                                      .passed_bytes = 15'000,
                                      .dropped_packets = 7,
                                      .dropped_bytes = 10'500,
                                      .waited_ns = 40'000,
                                      .longest_ns = 9'000,
                                      .waiting_packets = 2}}});
  for (std::uint64_t sequence : {1, 2}) {
    report.sequence = sequence;
    ASSERT_TRUE(sessions.on_report("dpu0", 1, report));
  }
  const auto queue = json({"dataplane", "show", "dpu0"})["queues"][0];
  EXPECT_EQ(queue["port"], "uplink");
  EXPECT_EQ(queue["number"], 3);
  EXPECT_EQ(queue["dropped_packets"], 14) << "since the manager started";
  EXPECT_EQ(queue["mean_wait_ns"], 4'000) << "of the last interval";
  const auto shown = foreflow({"dataplane", "show", "dpu0"}).out;
  for (const auto& word :
       {format_bytes(Bytes{30'000}), format_bytes(Bytes{21'000}), std::string("4 us"), std::string("9 us")})
    EXPECT_THAT(shown, HasSubstr(word));
}

TEST_F(ManagerTest, ADataplaneShowsWhyItsReportsAreNotTaken) {
  auto& sessions = manager_->sessions();
  ASSERT_TRUE(sessions.on_hello({.dataplane = "dpu0", .version = "test", .boot_id = 1}));
  wire::Report report{.sequence = 1, .interval_ns = kNanosPerSecond};
  report.time.value = SystemClock{}.now().value + 7'200 * static_cast<std::int64_t>(kNanosPerSecond);
  ASSERT_FALSE(sessions.on_report("dpu0", 1, report));
  EXPECT_THAT(json({"dataplane", "show", "dpu0"})["report_error"].get<std::string>(), HasSubstr("ahead of"));
  EXPECT_THAT(foreflow({"dataplane", "show", "dpu0"}).out, HasSubstr("ahead of this manager's clock"));
}

TEST_F(ManagerTest, EveryTableCanBeShown) {
  report_minute(megabits(80));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"vm", "list"},
                                                                                     {"vm", "show", "web"},
                                                                                     {"vm", "top"},
                                                                                     {"dataplane", "list"},
                                                                                     {"dataplane", "show", "dpu0"},
                                                                                     {"forecast", "show", "web"},
                                                                                     {"allocation", "list"},
                                                                                     {"policy", "get"},
                                                                                     {"rule", "list"},
                                                                                     {"conn", "top"},
                                                                                     {"status"}}) {
    const auto ran = foreflow(words);
    EXPECT_EQ(ran.code, cli::ExitCode::kDone) << ran.err;
    EXPECT_FALSE(ran.out.empty()) << words[0];
  }
}

TEST_F(ManagerTest, HistoryIdsPolicyAndGenerationsOutliveARestart) {
  report_minute(megabits(80));
  ASSERT_EQ(foreflow({"policy", "set", "web", "--cap", "123M"}).code, cli::ExitCode::kDone);
  const auto id = json({"vm", "show", "web"})["id"];
  const auto seen = json({"forecast", "show", "web"})["history"].size();
  const auto generation = json({"dataplane", "show", "dpu0"})["desired_generation"].get<std::uint64_t>();
  start();
  EXPECT_EQ(json({"vm", "show", "web"})["id"], id);
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(123).value);
  EXPECT_GE(json({"dataplane", "show", "dpu0"})["desired_generation"].get<std::uint64_t>(), generation);
  EXPECT_GE(json({"forecast", "show", "web"})["history"].size() + 2, seen);
}

TEST_F(ManagerTest, ARestartKeepsLimitsThatAreHeld) {
  const auto allocated = [&] { return json({"vm", "show", "web"})["egress"]["cir"].get<std::uint64_t>(); };
  report_minute(megabits(80));
  for (int i = 0; i < 100 && allocated() < megabits(80).value; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_GE(allocated(), megabits(80).value);
  report_minute(megabits(1), std::chrono::seconds(60));
  start();
  EXPECT_GE(allocated(), megabits(80).value);
}

TEST_F(ManagerTest, SignaturesAreReadAgainOnCommand) {
  report_minute(megabits(80));
  const auto before = json({"dataplane", "show", "dpu0"})["desired_generation"].get<std::uint64_t>();
  EXPECT_EQ(json({"signatures", "reload", "dpu0"})["dataplanes"], nlohmann::json({"dpu0"}));
  EXPECT_THAT(foreflow({"signatures", "reload"}).out, HasSubstr("dpu0 is asked to read its signatures again"));
  EXPECT_GE(json({"dataplane", "show", "dpu0"})["desired_generation"].get<std::uint64_t>(), before + 2);
  const auto unknown = foreflow({"signatures", "reload", "dpu1"});
  EXPECT_EQ(unknown.code, cli::ExitCode::kNotFound);
  EXPECT_THAT(unknown.err, HasSubstr("there is no dataplane 'dpu1'; did you mean 'dpu0'?"));
}

TEST_F(ManagerTest, AReportStoredBeforeTheRestartIsADuplicateAfterIt) {
  report_minute(megabits(80));
  start();
  sequence_ = 0;
  report_minute(megabits(80));
  EXPECT_EQ(json({"status"})["duplicate_reports"], 60);
  EXPECT_EQ(json({"status"})["reports"], 0);
}

TEST_F(ManagerTest, ASecondManagerOnTheSameStateIsRefused) {
  const auto second = Manager::start(config());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr((folder_ / "state").string()));
  EXPECT_THAT(second.error().message, HasSubstr("another foreflowd"));
}

TEST_F(ManagerTest, ExitCodesSayWhatWentWrong) {
  EXPECT_EQ(foreflow({"vm", "show", "wbe"}).code, cli::ExitCode::kNotFound);
  EXPECT_THAT(foreflow({"vm", "show", "wbe"}).err, HasSubstr("did you mean 'web'?"));
  EXPECT_EQ(foreflow({"dataplane", "show", "dpu1"}).code, cli::ExitCode::kNotFound);
  EXPECT_EQ(foreflow({"vm", "list"}, "mallory").code, cli::ExitCode::kDenied);
  const auto impossible = foreflow({"policy", "set", "db", "--guarantee", "2G"});
  EXPECT_EQ(impossible.code, cli::ExitCode::kFailure);
  EXPECT_THAT(impossible.err, HasSubstr("at most 90 % of 1.00 Gbit/s can be guaranteed"));
  EXPECT_EQ(foreflow({"vm", "show", std::string(200, 'x')}).code, cli::ExitCode::kFailure);
}

TEST_F(ManagerTest, ADryRunChangesNothing) {
  const auto ran = foreflow({"policy", "set", "web", "--cap", "1M", "--dry-run"});
  EXPECT_EQ(ran.code, cli::ExitCode::kDone);
  EXPECT_THAT(ran.out, HasSubstr("nothing was changed"));
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(500).value);
}

}  // namespace
}  // namespace foreflow::app
