// SPDX-License-Identifier: Apache-2.0
// Policy, explanation and audit as an operator sees them.
#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "host/audit/segment.h"
#include "tests/unit/host/manager_fixture.h"

namespace foreflow::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ManagerPolicyTest : public ManagerTest {
 protected:
  std::string file(const std::string& text) {
    const auto path = folder_ / "policy.toml";
    std::ofstream(path) << text;
    return path;
  }
  // Waits until a cycle has run that began after now.
  void wait_for_a_cycle() {
    const auto seen = manager_->status().cycles;
    while (manager_->status().cycles < seen + 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
};

TEST_F(ManagerPolicyTest, AFileBecomesAVersionAndAnEarlierOneComesBack) {
  const auto name = file("# for the launch\n[[vm]]\nname = \"w*\"\ncap = \"40M\"\n");
  EXPECT_EQ(foreflow({"policy", "check", name}).code, cli::ExitCode::kDone);
  EXPECT_THAT(foreflow({"policy", "diff", name}).out, AllOf(HasSubstr("vm web cap egress"), HasSubstr("40.0 Mbit/s")));
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(500).value);
  ASSERT_EQ(foreflow({"policy", "apply", name, "--comment", "launch"}).code, cli::ExitCode::kDone);
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(40).value);
  EXPECT_THAT(foreflow({"policy", "show"}).out, HasSubstr("# for the launch"));
  ASSERT_EQ(foreflow({"policy", "set", "web", "--cap", "30M", "--least", "2M"}).code, cli::ExitCode::kDone);
  EXPECT_EQ(json({"policy", "get", "web"})["ingress"]["cap"], megabits(30).value);
  ASSERT_EQ(foreflow({"policy", "apply", "1"}).code, cli::ExitCode::kDone);
  start();
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(40).value);
  const auto history = json({"policy", "history"});
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0]["author"], "operator");
  EXPECT_EQ(history[0]["comment"], "launch");
  EXPECT_THAT(history[1]["comment"].get<std::string>(), HasSubstr("set web, cap egress = \"30M\""));
}

TEST_F(ManagerPolicyTest, ARefusedFileChangesNothingAndNamesItsLines) {
  const auto name = file("[[vm]]\nname = \"db\"\nguarantee = \"2G\"\n[[vm]]\nname = \"wbe\"\nweight = 2\n");
  for (const auto* verb : {"check", "apply", "diff"}) {
    const auto refused = foreflow({"policy", verb, name});
    EXPECT_EQ(refused.code, cli::ExitCode::kFailure);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("policy.toml:3"), HasSubstr("did you mean 'web'?"))) << verb;
  }
  EXPECT_EQ(foreflow({"policy", "show"}).code, cli::ExitCode::kNotFound);
  EXPECT_EQ(foreflow({"policy", "apply", "7"}).code, cli::ExitCode::kNotFound);
}

TEST_F(ManagerPolicyTest, AVmThatIsOnlyRecommendedForHasNoRule) {
  ASSERT_EQ(json({"rule", "list"}).size(), 4u);
  ASSERT_EQ(foreflow({"policy", "set", "web", "--mode", "recommend"}).code, cli::ExitCode::kDone);
  wait_for_a_cycle();
  EXPECT_EQ(json({"rule", "list"}).size(), 2u);
  EXPECT_GT(json({"vm", "show", "web"})["egress"]["cir"], 0);
}

TEST_F(ManagerPolicyTest, AnExplanationHoldsWhatLedToTheLimitAndWhatWouldBeOtherwise) {
  report_minute(megabits(80));
  wait_for_a_cycle();
  const auto explained = json({"explain", "vm", "web"});
  const auto& egress = explained["directions"][0];
  EXPECT_EQ(egress["cir"], json({"vm", "show", "web"})["egress"]["cir"]);
  EXPECT_EQ(egress["cap"], megabits(500).value);
  EXPECT_TRUE(egress["enforced"]);
  EXPECT_FALSE(egress["model"].get<std::string>().empty());
  EXPECT_THAT(egress["counterfactuals"].dump(), HasSubstr("without its cap of 500 Mbit/s"));
  EXPECT_THAT(foreflow({"explain", "vm", "web"}).out, AllOf(HasSubstr("OTHERWISE"), HasSubstr("all it wants")));
  EXPECT_EQ(foreflow({"explain", "vm", "web", "--at", "2020-01-01"}).code, cli::ExitCode::kNotFound);
  EXPECT_EQ(foreflow({"explain", "vm", "web", "--at", "yesterday"}).code, cli::ExitCode::kUsage);
}

TEST_F(ManagerPolicyTest, AShadowPolicyIsEvaluatedAndNothingOfItIsEnforced) {
  EXPECT_THAT(foreflow({"policy", "shadow"}).out, HasSubstr("no shadow policy is running"));
  report_minute(megabits(80));
  ASSERT_EQ(foreflow({"policy", "shadow", file("[[vm]]\nname = \"web\"\ncap = \"10M\"\n")}).code, cli::ExitCode::kDone);
  wait_for_a_cycle();
  wait_for_a_cycle();
  const auto report = json({"policy", "shadow"});
  EXPECT_GT(report["offered"], 0);
  EXPECT_GT(report["shadow_unserved"], report["active_unserved"]);
  EXPECT_EQ(report["limits"][0]["vm"], "web");
  EXPECT_EQ(report["limits"][0]["shadow_pir"], megabits(10).value);
  EXPECT_EQ(json({"policy", "get", "web"})["egress"]["cap"], megabits(500).value);
  EXPECT_GE(json({"vm", "show", "web"})["egress"]["cir"], megabits(80).value);
  EXPECT_FALSE(json({"policy", "shadow", "off"})["running"]);
  EXPECT_EQ(foreflow({"policy", "shadow", file("[[vm]]\nname = \"nobody\"\nweight = 2\n")}).code,
            cli::ExitCode::kFailure);
}

TEST_F(ManagerPolicyTest, TheAuditReplaysIdenticallyAndAChangedByteIsSeen) {
  report_minute(megabits(80));
  wait_for_a_cycle();
  EXPECT_THAT(foreflow({"audit", "replay"}).out, HasSubstr("identical: "));
  const auto report = json({"audit", "verify"});
  EXPECT_GT(report["records"], 0);
  EXPECT_EQ(report["head"].get<std::string>().size(), 64u);
  const auto path = audit::segment_path(folder_ / "state" / "audit", 1);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(90).put('\x7f');
  const auto spoilt = foreflow({"audit", "verify"});
  EXPECT_EQ(spoilt.code, cli::ExitCode::kFailure);
  EXPECT_THAT(spoilt.err, HasSubstr("a block was changed"));
}

}  // namespace
}  // namespace foreflow::app
