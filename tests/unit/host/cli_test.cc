// SPDX-License-Identifier: Apache-2.0
// Command lines that need no manager: parsing, help, suggestions, exit codes.
#include "host/cli/cli.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"
#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::cli {
namespace {

using ::testing::HasSubstr;

struct Ran {
  ExitCode code;
  std::string out, err;
};

Ran ran(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  const auto code = run(
      words, [](const std::string&) { return std::string(); }, out, err);
  return {code, out.str(), err.str()};
}

TEST(Cli, EveryCommandHasHelpWithAnExample) {
  for (const auto& command : commands()) {
    std::vector<std::string> words{std::string(command.noun)};
    if (!command.verb.empty()) words.emplace_back(command.verb);
    words.emplace_back("--help");
    const auto help = ran(words);
    EXPECT_EQ(help.code, ExitCode::kDone) << command.noun << " " << command.verb;
    EXPECT_THAT(help.out, HasSubstr("Example: foreflow " + std::string(command.noun)));
    EXPECT_EQ(help.out.find("--watch") != std::string::npos, command.watchable) << command.noun << " " << command.verb;
  }
}

TEST(Cli, AnUnknownCommandIsAUsageErrorWithASuggestion) {
  const auto wrong = ran({"polcy", "set"});
  EXPECT_EQ(wrong.code, ExitCode::kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("unknown command 'polcy set'; did you mean 'policy set'?"));
}

TEST(Cli, OtherProgramsWaysToAskForHelpAndVersionWork) {
  EXPECT_EQ(ran({"--version"}).out, ran({"version"}).out);
  EXPECT_EQ(ran({"help"}).out, ran({"--help"}).out);
  EXPECT_EQ(ran({"help", "vm", "show"}).out, ran({"vm", "show", "--help"}).out);
  EXPECT_EQ(ran({"help", "vn"}).code, ExitCode::kUsage);
}

TEST(Cli, ANounAloneShowsItsVerbsAndNoEmptyLineAfterThem) {
  const auto shown = ran({"vm"});
  EXPECT_EQ(shown.code, ExitCode::kUsage);
  EXPECT_EQ(shown.err, "foreflow: a verb is missing\n\n" + ran({"vm", "--help"}).out);
}

TEST(Cli, WrongOptionsAreUsageErrors) {
  EXPECT_THAT(ran({"vm", "list", "--frob"}).err, HasSubstr("--frob"));
  EXPECT_EQ(ran({"vm", "list", "--frob"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"vm", "show"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"vm", "show", "a", "b"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"vm", "list", "-o", "yaml"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"policy", "set", "web"}).code, ExitCode::kUsage);
  EXPECT_THAT(ran({"policy", "set", "web", "--cap", "5X"}).err, HasSubstr("--cap: '5X' is not a rate"));
  EXPECT_EQ(ran({"policy", "set", "web", "--cap", "5M", "--direction", "up"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({}).code, ExitCode::kUsage);
}

TEST(Cli, NumbersThatMakeNoSenseAreUsageErrors) {
  EXPECT_THAT(ran({"policy", "set", "web", "--weight", "-1"}).err, HasSubstr("--weight is 0 to 1000000, not -1"));
  EXPECT_EQ(ran({"policy", "set", "web", "--weight", "-1"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"policy", "set", "web", "--weight=1000001"}).code, ExitCode::kUsage);
  EXPECT_EQ(ran({"policy", "set", "web", "--weight", "1.5"}).code, ExitCode::kUsage);
  EXPECT_THAT(ran({"conn", "top", "--most", "0"}).err, HasSubstr("--most is 1 to 100000, not 0"));
}

TEST(Cli, AThresholdOfBypassIsChecked) {
  EXPECT_THAT(ran({"policy", "set", "web", "--bypass-after", "900 packets"}).err,
              HasSubstr("--bypass-after: '900 packets' is no threshold"));
  EXPECT_THAT(ran({"policy", "set", "web", "--bypass-after", "1MB", "--bypass-idle", "1ms"}).err,
              HasSubstr("--bypass-idle: '1ms' is not between 1s and 1d"));
  EXPECT_THAT(ran({"policy", "set", "web", "--bypass-idle", "5s"}).err, HasSubstr("stands beside --bypass-after"));
}

TEST(Cli, WatchRefusesWhatCannotBeRepeated) {
  for (const auto* seconds : {"0", "-1", "nan", "inf", "1e9", "soon"})
    EXPECT_EQ(ran({"vm", "list", std::string("--watch=") + seconds}).code, ExitCode::kUsage) << seconds;
  EXPECT_THAT(ran({"vm", "list", "--watch=0"}).err, HasSubstr("--watch takes 0.1 to 86400 seconds, not 0"));
  const auto set = ran({"policy", "set", "web", "--cap", "5M", "--watch"});
  EXPECT_EQ(set.code, ExitCode::kUsage);
  EXPECT_THAT(set.err, HasSubstr("'policy set' runs once"));
  EXPECT_EQ(ran({"version", "--watch"}).code, ExitCode::kUsage);
}

TEST(Cli, ARuleIsNamedByItsNumber) {
  const auto wrong = ran({"rule", "explain", "web"});
  EXPECT_EQ(wrong.code, ExitCode::kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("'web' is no rule; 'foreflow rule list' shows their numbers"));
  EXPECT_EQ(ran({"rule", "explain", "3x"}).code, ExitCode::kUsage);
}

TEST(Cli, AnAddressThatIsNoneIsAUsageError) {
  for (const auto* address : {"localhost", "localhost:70000", "localhost:0", "unix:socket"})
    EXPECT_EQ(ran({"vm", "list", "--manager", address}).code, ExitCode::kUsage) << address;
}

TEST(Cli, HelpSaysWhatUnitsJsonHas) {
  for (const auto& words : {std::vector<std::string>{"--help"}, {"vm", "list", "--help"}})
    EXPECT_THAT(ran(words).out, HasSubstr("bytes per second"));
}

TEST(Cli, MissingCertificatesAreNamed) {
  const auto wrong = ran({"vm", "list", "--ca", "/nonexistent/ca.crt"});
  EXPECT_EQ(wrong.code, ExitCode::kFailure);
  EXPECT_THAT(wrong.err, HasSubstr("/nonexistent/ca.crt"));
}

TEST(Cli, ConfigCheckSaysWhichFilesAreBad) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "bad.toml") << "[link]\nlissen = \"x\"\n";
  const std::string good = FOREFLOW_SOURCE_DIR "/configs/foreflowd.toml";
  const auto bad = (folder / "bad.toml").string();
  EXPECT_EQ(ran({"config", "check", good}).code, ExitCode::kDone);
  EXPECT_EQ(ran({"config", "check", bad}).code, ExitCode::kFailure);
  const auto both = ran({"config", "check", good, bad});
  EXPECT_EQ(both.code, ExitCode::kPartial);
  EXPECT_THAT(both.err, HasSubstr("bad.toml:2: link.lissen: unknown key; did you mean 'listen'?"));
}

TEST(Table, AlignsAndNeverSteersTheTerminal) {
  Table table({"NAME", ">RATE"});
  table.add({"web\x1b[31m", "5"});
  table.add({"db", "1234567"});
  EXPECT_EQ(table.text(), "NAME         RATE\nweb?[31m        5\ndb        1234567\n");
}

TEST(Sparkline, ScalesToTheLargest) {
  EXPECT_EQ(sparkline({0, 50, 100}, 100), "▁▅█");
  EXPECT_EQ(sparkline({0, 0}, 0), "▁▁");
}

TEST(Json, HasEveryFieldAndNullForUnlimited) {
  pb::Policy policy;
  policy.set_tier("gold");
  policy.mutable_egress()->set_cap(UINT64_MAX);
  policy.mutable_egress()->set_guarantee(5);
  const auto json = to_json(policy);
  EXPECT_TRUE(json["egress"]["cap"].is_null());
  EXPECT_EQ(json["egress"]["guarantee"], 5);
  EXPECT_EQ(json["egress"]["weight"], 0);
  EXPECT_TRUE(json["ingress"].is_null());
}

TEST(Json, APeakThatCouldNotBeObservedIsNullAndNotZero) {
  pb::DirectionTraffic traffic;
  traffic.set_peak_1ms_rate(0);
  const auto json = to_json(traffic);
  EXPECT_TRUE(json["peak_10ms_rate"].is_null());
  EXPECT_EQ(json["peak_1ms_rate"], 0);
  EXPECT_EQ(json["offered_rate"], 0);
}

TEST(Json, ForeignBytesThatAreNoTextDoNotBreakIt) {
  pb::Flow flow;
  flow.set_vm("web");
  nlohmann::ordered_json json = to_json(flow);
  json["app"] = std::string("\xff\xfe");
  EXPECT_THAT(text_of(json), HasSubstr("\"app\": \"\xEF\xBF\xBD"));
}

}  // namespace
}  // namespace foreflow::cli
