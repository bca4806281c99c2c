// SPDX-License-Identifier: Apache-2.0
// The policy document: reading, writing, what it comes to at a time, what stands against it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "host/policy/check.h"
#include "host/policy/fit.h"
#include "support/source_paths.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::policy {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UnixNanos kNow{1'800'000'000'000'000'000};  // 2027-01-15T08:00:00Z

Document parsed(std::string_view text) {
  auto document = read(text, "p.toml");
  EXPECT_TRUE(document) << document.error().message;
  return document ? *document : Document{};
}

const model::Policy& policy_of(const Effective& at, std::size_t vm) { return at.fleet.vms.at(vm).policy; }

constexpr std::string_view kEverything = R"([[tier]]
name = "gold"
priority = 3
quantile = 0.99
weight = 2
hold = "90s"

[[group]]
name = "a"
cap = {egress = "600M", ingress = "unlimited"}
guarantee = "100M"
burst = "200ms"

[[vm]]
name = "w*"
tier = "gold"
group = "a"
cap = {egress = "50M"}
least = "1001B"
most = {egress = "40M", ingress = "30M"}
weight = 7
packets = 1000
burst = "100ms"
shape = true
mode = "recommend"
cpu = {guarantee = 0.25, cap = 4}
memory = {guarantee = "1GiB", weight = 3}

[[event]]
name = "sale"
from = "2027-02-01T06:00:00Z"
to = "2027-02-02"
every = "week"
vms = ["web"]
groups = ["a"]
least = "20M"

[[maintenance]]
name = "m"
from = "2027-03-01"
to = "2027-03-02"
dataplane = "dpu0"
capacity_percent = 50
freeze = true

[[class]]
name = "voice"
categories = ["voip_conferencing", "gaming"]
vms = ["w*"]
dscp = 46
queue = 1
mirror = "probe"
mirror_one_in = 100

[[class]]
name = "bulk"
categories = ["file_transfer"]
bypass_after = "200 packets"
bypass_idle = "30s"

[[class]]
name = "backup"
categories = ["mail"]
queue_group = 2

[queueing]
strict = [0, 1]
weights = [1, 1, 8, 4]
longest = "5ms"

[[class]]
name = "unwanted"
categories = ["crypto_mining"]
drop = true

[[rule]]
name = "scrub"
vms = ["w*"]
direction = "ingress"
protocol = "udp"
local_port = 53
remote = "198.51.100.0/24"
steer = "scrubber"
demand = "require_hw"
priority = 3

[[rule]]
name = "watch"
protocol = "47"
mirror = "probe"
mirror_one_in = 5
idle = "60s"
)";

TEST(PolicyDocument, WritesWhatItRead) {
  const auto document = parsed(kEverything);
  const auto again = parsed(write(document));
  EXPECT_EQ(write(again), write(document));
  EXPECT_THAT(difference(small_fleet(), document, again, kNow), IsEmpty());
  EXPECT_EQ(again.events.at(0).window, document.events.at(0).window);
  EXPECT_EQ(again.vms.at(0).patch, document.vms.at(0).patch);
}

TEST(PolicyDocument, TheExampleIsOne) {
  const auto text = read_file(FOREFLOW_SOURCE_DIR "/configs/policy.toml", kLargestText);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(parsed(*text).vms.size(), 1u);
}

TEST(PolicyDocument, NamesFileAndLineOfEveryMistake) {
  const auto refused =
      read("[[vm]]\nname = \"web\"\ncapp = \"5M\"\n[[class]]\nname = \"c\"\ncategories = [\"vidio\"]\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("p.toml:3: vm[0].capp: unknown key; did you mean 'cap'?"),
                                             HasSubstr("p.toml:6:"), HasSubstr("did you mean 'video'?")));
}

TEST(PolicyDocument, NamesBothPlacesOfATwin) {
  const auto refused = read("[[vm]]\nname = \"web\"\ncap = \"5M\"\n[[vm]]\nname = \"web\"\ncap = \"6M\"\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("p.toml:5: vm[1].name: 'web' is there already, at p.toml:2"));
}

TEST(PolicyEffective, ARuleForOneVmWinsOverAPattern) {
  const auto document =
      parsed("[[vm]]\nname = \"web\"\ncap = \"5M\"\n[[vm]]\nname = \"*\"\ncap = \"6M\"\nweight = 9\n");
  const auto at = effective(small_fleet(), document, kNow);
  EXPECT_EQ(policy_of(at, 0).cap[0], megabits(5));
  EXPECT_EQ(policy_of(at, 0).weight[0], 9u);
  EXPECT_EQ(policy_of(at, 1).cap[0], megabits(6));
  EXPECT_THAT(at.conflicts, IsEmpty());
}

TEST(PolicyEffective, AnEventHoldsFromItsBeginningUntilItsEnd) {
  const auto document = parsed(
      "[[event]]\nname = \"e\"\nfrom = \"2027-01-15T08:00:10Z\"\nto = \"2027-01-15T08:00:20Z\"\nevery = \"day\"\n"
      "vms = [\"web\"]\nleast = \"9M\"\n");
  const auto least_after = [&](std::int64_t seconds) {
    const UnixNanos time{kNow.value + seconds * static_cast<std::int64_t>(kNanosPerSecond)};
    return policy_of(effective(small_fleet(), document, time), 0).least[0];
  };
  EXPECT_EQ(least_after(9), BytesPerSecond{});
  EXPECT_EQ(least_after(10), megabits(9));
  EXPECT_EQ(least_after(20), BytesPerSecond{});
  EXPECT_EQ(least_after(86'400 + 15), megabits(9));
  EXPECT_EQ(effective(small_fleet(), document, kNow).until->value, kNow.value + 10 * 1'000'000'000ll);
}

TEST(PolicyEffective, AMaintenanceTakesCapacityAndFreezes) {
  const auto document = parsed(
      "[[maintenance]]\nname = \"m\"\nfrom = \"2027-01-15\"\nto = \"2027-01-16\"\ndataplane = \"dpu0\"\n"
      "capacity_percent = 40\nfreeze = true\n");
  const auto at = effective(small_fleet(), document, kNow);
  EXPECT_EQ(at.fleet.dataplanes[0].capacity(Direction::kEgress), megabits(400));
  EXPECT_TRUE(at.frozen.contains("dpu0"));
}

TEST(PolicyDocument, RefusesToDropWhatIsNotRecognisedYet) {
  const auto refused = read("[[class]]\nname = \"c\"\ncategories = [\"unknown\"]\ndrop = true\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("p.toml:3: class[0].categories: every flow is 'unknown' until"));
}

TEST(PolicyDocument, RefusesAMarkOnWhatIsDropped) {
  const auto refused = read("[[class]]\nname = \"c\"\ncategories = [\"p2p\"]\ndrop = true\ndscp = 8\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("p.toml:5: class[0].dscp: what is dropped cannot be marked"));
}

TEST(PolicyDocument, QueuesAreBounded) {
  const auto refused = read("[queueing]\nstrict = [8]\nweights = [0]\nlongest = \"2s\"\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("p.toml:2: queueing.strict: there is no queue 8; there are 0 to 7"),
                    HasSubstr("p.toml:3: queueing.weights: 0 is no weight; 1 to 1000 are"),
                    HasSubstr("p.toml:4: queueing.longest: must be 1us to 1s")));
}

TEST(PolicyDocument, RefusesABypassOfWhatIsTreated) {
  const auto refused =
      read("[[class]]\nname = \"c\"\ncategories = [\"video\"]\nqueue = 0\nqueue_group = 1\nbypass_after = \"1M\"\n",
           "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("p.toml:6: class[0].bypass_after: flows with a treatment stay in the pipeline"),
                    HasSubstr("p.toml:5: class[0].queue_group: what leaves by isolated queues does not wait")));
}

TEST(PolicyEffective, ARuleReachesItsVmsInTheDirectionsWhereItDoesSomething) {
  const auto at = effective(small_fleet(),
                            parsed("[[rule]]\nname = \"scrub\"\nvms = [\"w*\"]\nprotocol = \"udp\"\nlocal_port = 53\n"
                                   "remote = \"198.51.100.7/24\"\nsteer = \"scrubber\"\n"
                                   "[[rule]]\nname = \"mark\"\nvms = [\"w*\"]\ndscp = 8\npriority = 2\n"),
                            kNow);
  const auto& rules = at.fleet.vms[0].rules;
  ASSERT_EQ(rules.size(), 3u) << "nothing that reaches a VM is marked";
  const auto& scrub = rules[0].what;
  EXPECT_EQ(scrub.match.ip_protocol, 17);
  EXPECT_EQ(scrub.match.local_port, 53);
  EXPECT_EQ(to_string(scrub.match.remote), "198.51.100.7");
  EXPECT_EQ(scrub.match.remote_prefix, 24);
  EXPECT_EQ(scrub.steer_port, "scrubber");
  EXPECT_EQ(rules[0].demand, wire::Demand::kPreferHardware);
  EXPECT_EQ(rules[1].what.direction, Direction::kIngress);
  EXPECT_EQ(rules[1].number, rules[0].number);
  EXPECT_EQ(rules[2].what.dscp, 8);
  EXPECT_EQ(rules[2].priority, 2u);
  EXPECT_NE(rules[2].number, rules[0].number);
}

TEST(PolicyDocument, SaysWhatIsWrongWithARule) {
  const auto refused = [](const std::string& keys) {
    const auto document = read("[[rule]]\nname = \"r\"\n" + keys, "p.toml");
    return document ? std::string() : document.error().message;
  };
  EXPECT_THAT(refused("protocol = \"ipx\"\n"), HasSubstr("p.toml:3: rule[0].protocol: 'ipx' is no protocol"));
  EXPECT_THAT(refused("local_port = 80\n"), HasSubstr("only TCP and UDP have ports: give `protocol`, too"));
  EXPECT_THAT(refused("remote = \"10.0.0.0/40\"\n"), HasSubstr("'10.0.0.0/40' is no network"));
  EXPECT_THAT(refused("remote = \"10.0.0.0/0\"\n"), HasSubstr("is no network"));
  EXPECT_THAT(refused("direction = \"ingress\"\ndscp = 3\n"), HasSubstr("direction egress would be right"));
  EXPECT_THAT(refused("drop = true\nsteer = \"p\"\n"), HasSubstr("what is dropped goes nowhere"));
  EXPECT_THAT(refused("idle = \"10ms\"\n"), HasSubstr("must be 1s to 12d in whole seconds"));
  EXPECT_THAT(refused("demand = \"hardware\"\n"), HasSubstr("'require_hw'"));
  EXPECT_EQ(refused("protocol = \"6\"\nlocal_port = 80\n"), "");
}

TEST(PolicyEffective, CpuAndMemoryAreEnabledByARuleAndReplacedByTheNext) {
  const auto at = effective(small_fleet(),
                            parsed("[[vm]]\nname = \"*\"\ncpu = {}\nmemory = {guarantee = \"1GiB\"}\n"
                                   "[[vm]]\nname = \"web\"\ncpu = {guarantee = 0.5, cap = 2, weight = 3}\n"),
                            kNow);
  EXPECT_EQ(policy_of(at, 0).cpu, (model::GuestShare{500'000, 2'000'000, 3}));
  EXPECT_EQ(policy_of(at, 0).memory, (model::GuestShare{.guarantee = 1ull << 30}));
  EXPECT_EQ(policy_of(at, 1).cpu, model::GuestShare{});
  const auto refused = read("[[vm]]\nname = \"web\"\ncpu = {guarantee = 3, cap = 2}\n", "p.toml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("p.toml:3: "), HasSubstr("must not be below the guarantee")));
}

TEST(PolicyEffective, AQueueHoldsWhereThePolicyHasQueueing) {
  const std::string one = "[[class]]\nname = \"a\"\ncategories = [\"video\"]\nqueue = 3\n";
  EXPECT_THAT(effective(small_fleet(), parsed(one), kNow).fleet.vms[0].applications, IsEmpty());
  const auto at = effective(small_fleet(), parsed(one + "[queueing]\nweights = [1, 1, 1, 9]\n"), kNow);
  ASSERT_EQ(at.fleet.vms[0].applications.size(), 1u);
  EXPECT_EQ(at.fleet.vms[0].applications[0].queue, 3);
  ASSERT_TRUE(at.fleet.queueing);
  EXPECT_TRUE(at.fleet.queueing->queues[0].strict);
  EXPECT_EQ(at.fleet.queueing->queues[3].weight, 9u);
}

TEST(PolicyEffective, AVmsBypassWinsOverItsGroups) {
  const auto document = parsed(
      "[[group]]\nname = \"a\"\ncap = \"1G\"\nbypass_after = \"10MB\"\n[[vm]]\nname = \"web\"\nbypass_after = "
      "\"off\"\n");
  const auto at = effective(small_fleet(), document, kNow);
  EXPECT_EQ(at.fleet.groups.back().bypass, model::Bypass{.bytes = Bytes{10'000'000}});
  EXPECT_EQ(policy_of(at, 0).bypass, model::Bypass{.off = true});
}

TEST(PolicyEffective, ABypassIsAThresholdInBytesOrPacketsAndATimeOfSilence) {
  const auto document = parsed("[[vm]]\nname = \"web\"\nbypass_after = \"200 packets\"\nbypass_idle = \"30s\"\n");
  const auto at = effective(small_fleet(), document, kNow);
  EXPECT_EQ(policy_of(at, 0).bypass, (model::Bypass{.packets = 200, .idle_seconds = 30}));
}

TEST(PolicyDocument, SaysWhatAThresholdOfBypassCanBe) {
  const auto refused = [](const std::string& keys) {
    const auto document = read("[[vm]]\nname = \"web\"\n" + keys, "p.toml");
    return document ? std::string() : document.error().message;
  };
  for (const auto* text : {"0 packets", "256 packets", "-1 packets", "few packets", "10X"})
    EXPECT_THAT(refused(fmt::format("bypass_after = \"{}\"\n", text)),
                HasSubstr(fmt::format("p.toml:3: vm[0].bypass_after: '{}' is no threshold; '10MB', '1 packets' to "
                                      "'255 packets' and 'off' are",
                                      text)));
  for (const auto* text : {"0s", "1500ms", "2d"})
    EXPECT_THAT(refused(fmt::format("bypass_after = \"1MB\"\nbypass_idle = \"{}\"\n", text)),
                HasSubstr(fmt::format("'{}' is not between 1s and 1d in whole seconds", text)));
  EXPECT_THAT(refused("bypass_idle = \"5s\"\n"), HasSubstr("vm[0].bypass_idle: stands beside `bypass_after`"));
}

TEST(PolicyCheck, RulesThatMeetAtOnePriorityAndDifferAreAConflictThatNamesBoth) {
  const auto reasons_of = [](const std::string& second) {
    return check(small_fleet(),
                 parsed("[[rule]]\nname = \"a\"\nprotocol = \"udp\"\nlocal_port = 53\ndrop = true\n[[rule]]\n"
                        "name = \"b\"\n" +
                        second),
                 kNow);
  };
  EXPECT_THAT(reasons_of("remote = \"192.0.2.0/24\"\nidle = \"9s\"\n"),
              ElementsAre(AllOf(HasSubstr("p.toml:6: "), HasSubstr("rule 'b' and rule 'a' (p.toml:1)"),
                                HasSubstr("priority 50"))));
  EXPECT_THAT(reasons_of("idle = \"9s\"\npriority = 51\n"), IsEmpty());
  EXPECT_THAT(reasons_of("protocol = \"tcp\"\nidle = \"9s\"\n"), IsEmpty()) << "they never meet";
  EXPECT_THAT(reasons_of("drop = true\n"), IsEmpty()) << "both do the same";
  EXPECT_THAT(reasons_of("vms = [\"d*\"]\ndirection = \"ingress\"\nidle = \"9s\"\n"), SizeIs(1));
}

TEST(PolicyCheck, TwoThresholdsOfBypassAreAConflictThatNamesBothRules) {
  const auto reasons = check(
      small_fleet(),
      parsed("[[vm]]\nname = \"w*\"\nbypass_after = \"1MB\"\n[[vm]]\nname = \"*b\"\nbypass_after = \"2MB\"\n"), kNow);
  EXPECT_THAT(reasons, Contains(AllOf(HasSubstr("p.toml:6"), HasSubstr("p.toml:3"), HasSubstr("bypass_after"))));
}

TEST(PolicyEffective, AClassReachesTheVmsThatItNamesAndOtherwiseAll) {
  const auto at = effective(small_fleet(),
                            parsed("[[class]]\nname = \"a\"\ncategories = [\"video\"]\nvms = [\"w*\"]\ndscp = 34\n"
                                   "[[class]]\nname = \"b\"\ncategories = [\"p2p\"]\ndrop = true\n"
                                   "[[class]]\nname = \"c\"\ncategories = [\"web\"]\n"),
                            kNow);
  const model::Handling marked{Category::kVideo, 34, false};
  const model::Handling dropped{Category::kP2p, std::nullopt, true};
  EXPECT_THAT(at.fleet.vms[0].applications, ElementsAre(marked, dropped));
  EXPECT_THAT(at.fleet.vms[1].applications, ElementsAre(dropped));
}

TEST(PolicyCheck, AClassOfNobodyGetsASuggestion) {
  EXPECT_THAT(check(small_fleet(),
                    parsed("[[class]]\nname = \"c\"\ncategories = [\"web\"]\nvms = [\"wbe\"]\ndscp = 8\n"), kNow),
              ElementsAre(AllOf(HasSubstr("p.toml:4"), HasSubstr("did you mean 'web'?"))));
}

TEST(PolicyCheck, AConflictNamesBothRules) {
  const auto reasons =
      check(small_fleet(), parsed("[[vm]]\nname = \"w*\"\nweight = 2\n[[vm]]\nname = \"*b\"\nweight = 3\n"), kNow);
  EXPECT_THAT(reasons, Contains(AllOf(HasSubstr("p.toml:6"), HasSubstr("p.toml:3"), HasSubstr("'web'"))));
}

TEST(PolicyCheck, OverSubscriptionNamesEveryGuarantee) {
  auto fleet = small_fleet();
  fleet.origins["vm db guarantee"] = "foreflowd.toml:58";
  const auto reasons = check(fleet, parsed("[[vm]]\nname = \"web\"\ncap = \"1G\"\nguarantee = \"750M\"\n"), kNow);
  EXPECT_THAT(reasons, Contains(AllOf(HasSubstr("web 750 Mbit/s (p.toml:4)"),
                                      HasSubstr("db 200 Mbit/s (foreflowd.toml:58)"), HasSubstr("950 Mbit/s"))));
}

TEST(PolicyCheck, SeesWhatALaterMaintenanceMakesImpossible) {
  const auto reasons = check(small_fleet(),
                             parsed("[[maintenance]]\nname = \"m\"\nfrom = \"2027-06-01\"\nto = \"2027-06-02\"\n"
                                    "dataplane = \"dpu0\"\ncapacity_percent = 10\n"),
                             kNow);
  EXPECT_THAT(reasons, Contains(AllOf(HasSubstr("db 200 Mbit/s"), HasSubstr("from 2027-06-01T00:00:00Z: maintenance m"),
                                      HasSubstr("p.toml:1"))));
}

TEST(PolicyCheck, EventsThatMeetOnlyLaterAreAConflict) {
  const auto reasons = check(small_fleet(),
                             parsed("[[event]]\nname = \"nightly\"\nfrom = \"2027-01-16T01:00:00Z\"\n"
                                    "to = \"2027-01-16T02:00:00Z\"\nevery = \"day\"\nvms = [\"web\"]\nweight = 2\n"
                                    "[[event]]\nname = \"fair\"\nfrom = \"2027-03-01\"\nto = \"2027-03-03\"\n"
                                    "vms = [\"w*\"]\nweight = 5\n"),
                             kNow);
  EXPECT_THAT(reasons, Contains(AllOf(HasSubstr("p.toml:7"), HasSubstr("p.toml:13"))));
}

TEST(PolicyCheck, ANameOfNobodyGetsASuggestion) {
  EXPECT_THAT(check(small_fleet(), parsed("[[vm]]\nname = \"wbe\"\ncap = \"5M\"\n"), kNow),
              ElementsAre(AllOf(HasSubstr("p.toml:2"), HasSubstr("did you mean 'web'?"))));
}

TEST(PolicyDifference, SaysWhatChangesAndNothingElse) {
  const auto changes =
      difference(small_fleet(), {}, parsed("[[vm]]\nname = \"web\"\ncap = {egress = \"50M\"}\n"), kNow);
  EXPECT_THAT(changes, ElementsAre(Change{"vm web cap egress", "500 Mbit/s", "50.0 Mbit/s"}));
}

TEST(PolicyFit, LeavesOutOnlyTheRuleThatNoLongerFits) {
  const auto document = parsed("[[vm]]\nname = \"web\"\ncap = \"5M\"\n[[vm]]\nname = \"db\"\ntier = \"silver\"\n");
  const auto fitted = fit(small_fleet(), document, kNow);
  EXPECT_THAT(fitted.document.vms, SizeIs(1));
  EXPECT_THAT(fitted.left_out, ElementsAre(AllOf(HasSubstr("vm db"), HasSubstr("silver"))));
}

}  // namespace
}  // namespace foreflow::policy
