// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/app/roster.h"
#include "host/app/state_codec.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::app {
namespace {

using ::testing::HasSubstr;

class StateTest : public ::testing::Test {
 protected:
  void open() {
    state_.reset();
    auto opened = store::StateStore::open(folder_.path() / "state.db");
    ASSERT_TRUE(opened) << opened.error().message;
    state_ = std::move(*opened);
  }
  void SetUp() override { open(); }

  test::TemporaryDirectory folder_;
  ManualClock clock_{UnixNanos{1'800'000'000'000'000'000}};
  std::unique_ptr<store::StateStore> state_;
};

TEST_F(StateTest, ANameKeepsItsIdThroughARestart) {
  const auto web = state_->vm_id("web");
  const auto db = state_->vm_id("db");
  ASSERT_TRUE(web && db);
  EXPECT_NE(*web, *db);
  open();
  EXPECT_EQ(*state_->vm_id("db"), *db);
  EXPECT_EQ(*state_->vm_id("web"), *web);
}

TEST_F(StateTest, ForgetsWhatIsErased) {
  ASSERT_TRUE(state_->put(store::StateKind::kPolicyVersion, "web", "old"));
  ASSERT_TRUE(state_->put(store::StateKind::kPolicyVersion, "web", "new"));
  ASSERT_TRUE(state_->put(store::StateKind::kInstalled, "web", "other kind"));
  EXPECT_EQ(*state_->all(store::StateKind::kPolicyVersion), (std::map<std::string, std::string>{{"web", "new"}}));
  ASSERT_TRUE(state_->erase(store::StateKind::kPolicyVersion, "web"));
  EXPECT_TRUE(state_->all(store::StateKind::kPolicyVersion)->empty());
  EXPECT_EQ(state_->all(store::StateKind::kInstalled)->size(), 1u);
}

TEST_F(StateTest, RefusesAFileThatIsNotItsOwn) {
  const auto path = folder_.path() / "letter.txt";
  std::ofstream(path) << std::string(5000, 'x');
  const auto opened = store::StateStore::open(path);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(path.string()));
}

TEST_F(StateTest, APolicySetAtRunTimeOutlivesARestart) {
  model::PolicyPatch patch;
  patch.cap[index(Direction::kIngress)] = megabits(50);
  {
    Rosters rosters(*state_, clock_);
    ASSERT_TRUE(rosters.load(small_fleet()));
    const auto change = rosters.set_policy("web", patch, "ann", false);
    ASSERT_TRUE(change) << change.error().message;
    EXPECT_EQ(change->before.cap[index(Direction::kIngress)], megabits(500));
  }
  open();
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  const auto roster = rosters.current();
  EXPECT_EQ(roster->vm("web")->policy.cap[index(Direction::kIngress)], megabits(50));
  EXPECT_EQ(roster->vm("web")->policy.cap[index(Direction::kEgress)], megabits(500));
  EXPECT_TRUE(roster->is_patched("web"));
  EXPECT_FALSE(roster->is_patched("db"));
}

TEST_F(StateTest, PoliciesOfAnEarlierVersionBecomeTheFirstVersion) {
  const auto row = R"({"tier":"gold","egress":{"cap":1000000,"weight":3},"ingress":{}})";
  ASSERT_TRUE(state_->put(store::StateKind::kOldPolicy, "web", row));
  {
    Rosters rosters(*state_, clock_);
    ASSERT_TRUE(rosters.load(small_fleet()));
    const auto& policy = rosters.current()->vm("web")->policy;
    EXPECT_EQ(policy.tier, "gold");
    EXPECT_EQ(policy.cap[index(Direction::kEgress)], BytesPerSecond{1'000'000});
    EXPECT_EQ(policy.weight[index(Direction::kEgress)], 3u);
    EXPECT_EQ(policy.cap[index(Direction::kIngress)], megabits(500));
  }
  open();
  Rosters again(*state_, clock_);
  ASSERT_TRUE(again.load(small_fleet()));
  ASSERT_EQ(again.history().size(), 1u);
  EXPECT_THAT(again.history()[0].comment, HasSubstr("earlier version"));
  EXPECT_EQ(again.current()->vm("web")->policy.tier, "gold");
  EXPECT_TRUE(state_->all(store::StateKind::kOldPolicy)->empty());
}

TEST_F(StateTest, PoliciesOfAnEarlierVersionGiveWayToANewerPolicy) {
  {
    Rosters rosters(*state_, clock_);
    ASSERT_TRUE(rosters.load(small_fleet()));
    model::PolicyPatch patch;
    patch.tier = "standard";
    ASSERT_TRUE(rosters.set_policy("web", patch, "ann", false));
  }
  ASSERT_TRUE(state_->put(store::StateKind::kOldPolicy, "web", R"({"tier":"gold","egress":{},"ingress":{}})"));
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  EXPECT_EQ(rosters.current()->vm("web")->policy.tier, "standard");
  EXPECT_EQ(rosters.history().size(), 1u);
}

TEST_F(StateTest, APolicyOfAnEarlierVersionThatCannotBeReadIsRefusedByName) {
  ASSERT_TRUE(state_->put(store::StateKind::kOldPolicy, "web", R"({"tier":7})"));
  Rosters rosters(*state_, clock_);
  const auto loaded = rosters.load(small_fleet());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(loaded.error().message, HasSubstr("policy of VM 'web'"));
  EXPECT_FALSE(state_->all(store::StateKind::kOldPolicy)->empty());
}

TEST_F(StateTest, ADryRunChangesNothing) {
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  model::PolicyPatch patch;
  patch.tier = "gold";
  EXPECT_EQ(rosters.set_policy("web", patch, "ann", true)->after.tier, "gold");
  EXPECT_EQ(rosters.current()->vm("web")->policy.tier, "standard");
  EXPECT_TRUE(state_->all(store::StateKind::kPolicyVersion)->empty());
}

TEST_F(StateTest, RefusesAPolicyThatTheUplinkCannotGive) {
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  model::PolicyPatch patch;
  patch.guarantee[0] = megabits(400);
  EXPECT_TRUE(rosters.set_policy("db", patch, "ann", true));
  patch.guarantee[0] = megabits(901);
  const auto refused = rosters.set_policy("db", patch, "ann", false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("at most 90 % of 1.00 Gbit/s"));
  EXPECT_EQ(rosters.current()->vm("db")->policy.guarantee[0], megabits(200));
}

TEST_F(StateTest, AnUnknownVmIsNotFoundWithASuggestion) {
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  const auto refused = rosters.set_policy("wbe", {}, "ann", false);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refused.error().message, HasSubstr("did you mean 'web'?"));
}

TEST_F(StateTest, AKeptPolicyThatNoLongerFitsIsLeftOut) {
  Rosters rosters(*state_, clock_);
  ASSERT_TRUE(rosters.load(small_fleet()));
  model::PolicyPatch patch;
  patch.tier = "gold";
  ASSERT_TRUE(rosters.set_policy("web", patch, "ann", false));
  auto fleet = small_fleet();
  fleet.tiers = {{"standard", 0, .95}};
  fleet.vms[1].policy.tier = "standard";
  ASSERT_TRUE(rosters.load(fleet));
  EXPECT_EQ(rosters.current()->vm("web")->policy.tier, "standard");
}

TEST(StateCodec, InstalledComesBackAsItWas) {
  fabric::Installed installed{Generation{9}, {.device = "dpu0", .signature_set = "s"}, 3};
  installed.target.uplinks = {{"up", {megabits(1000), kUnlimited}}};
  installed.target.uplinks[0].queueing.emplace().queues[3] = {true, 9};
  installed.target.bypasses = {{VmId{3}, std::nullopt, 7, 8}, {VmId{3}, Category::kVideo, 9, 1}};
  installed.target.vms = {{VmId{3}, "web", {{"p", *parse_mac("52:54:00:00:00:01"), Segment{12}}}, true}};
  installed.target.limits = {{.police = {VmId{3}, Direction::kIngress, megabits(1), kUnlimited, Bytes{5}, Bytes{6}, 7},
                              .guarantee = megabits(1),
                              .cap = kUnlimited}};
  installed.target.treatments = {
      {.vm = VmId{3}, .match = {.category = Category::kVideo}, .dscp = 0, .queue = 0},
      {.vm = VmId{3}, .match = {.category = Category::kMail}, .mirror = wire::Mirror{"probe", 5}, .queue_group = 1},
      {.vm = VmId{3}, .direction = Direction::kIngress, .match = {.category = Category::kP2p}, .drop = true}};
  installed.target.rules = {{IntentId{1ull << 45}, 3, wire::Demand::kRequireHardware,
                             wire::Treatment{.vm = VmId{3},
                                             .direction = Direction::kIngress,
                                             .match = {17, 53, 0, {{198, 51, 100, 0}}, 24},
                                             .steer_port = "scrubber",
                                             .idle_seconds = 60}}};
  const auto decoded = decode_installed(encode_installed(installed));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->generation, installed.generation);
  EXPECT_EQ(decoded->target, installed.target);
  EXPECT_EQ(decoded->signature_revision, installed.signature_revision);
}

TEST(StateCodec, DamagedTextIsMalformed) {
  for (const auto* text : {"", "{", "[]", R"({"generation": "x"})", R"({"generation": 1})"})
    EXPECT_EQ(decode_installed(text).error().code, ErrorCode::kMalformed) << text;
  EXPECT_EQ(decode_version("{}").error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace foreflow::app
