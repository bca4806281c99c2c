// SPDX-License-Identifier: Apache-2.0
#include "host/model/config.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::model {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kGood = R"([link]
ca = "ca.crt"
certificate = "manager.crt"
key = "manager.key"

[[dataplane]]
name = "dpu0"
uplinks = [{port = "up", capacity = {egress = "1G", ingress = "2G"}}]

[[vm]]
name = "web"
dataplane = "dpu0"
attachments = [{port = "p0", mac = "52:54:00:00:00:01", segment = 7}]
guarantee = "100M"
cap = {egress = "500M"}
weight = 3
)";

std::string reason_for(const std::string& text) {
  const auto config = parse_config(text, "f.toml");
  return config ? "" : config.error().message;
}

TEST(ManagerConfig, ReadsRatesForBothDirectionsOrForEach) {
  const auto config = parse_config(kGood, "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto& vm = config->fleet.vms.at(0);
  EXPECT_EQ(vm.policy.guarantee,
            (PerDirection<BytesPerSecond>{BytesPerSecond{12'500'000}, BytesPerSecond{12'500'000}}));
  EXPECT_EQ(vm.policy.cap, (PerDirection<BytesPerSecond>{BytesPerSecond{62'500'000}, kUnlimited}));
  EXPECT_EQ(vm.policy.weight, (PerDirection<std::uint32_t>{3, 3}));
  EXPECT_EQ(vm.attachments.at(0).segment, Segment{7});
  EXPECT_EQ(config->fleet.dataplanes.at(0).capacity(Direction::kIngress), BytesPerSecond{250'000'000});
}

TEST(ManagerConfig, TakesTheLinksCertificatesForTheApi) {
  EXPECT_EQ(parse_config(kGood, "f.toml")->api.certificates.key, "manager.key");
}

TEST(ManagerConfig, TheShippedExampleIsGood) {
  const auto config = load_config(FOREFLOW_SOURCE_DIR "/configs/foreflowd.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->fleet.vms.size(), 2u);
}

TEST(ManagerConfig, AHypervisorBelongsToAHostWithADataplane) {
  const auto good = parse_config(std::string(kGood) +
                                     "uuid = \"6B2D3F0E-0B5E-4D0C-8F0E-3A1F5C7D9E21\"\n[[hypervisor]]\n"
                                     "host = \"dpu0\"\nuri = \"qemu:///system\"\nperiod = \"2s\"\n",
                                 "f.toml");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->fleet.vms[0].uuid, "6b2d3f0e-0b5e-4d0c-8f0e-3a1f5c7d9e21");
  EXPECT_EQ(good->fleet.hypervisors[0].period_ns, 2 * kNanosPerSecond);
  const auto reason = reason_for(std::string(kGood) +
                                 "uuid = \"6b2d\"\n[[hypervisor]]\nhost = \"node9\"\nuri = \"\"\n"
                                 "period = \"1h\"\n[[hypervisor]]\nhost = \"node9\"\nuri = \"test:///default\"\n");
  EXPECT_THAT(reason, HasSubstr("'6b2d' is not a UUID such as"));
  EXPECT_THAT(reason, HasSubstr("there is no dataplane with host = 'node9'"));
  EXPECT_THAT(reason, HasSubstr("must be one of libvirt's, such as qemu:///system"));
  EXPECT_THAT(reason, HasSubstr("must be 1s to 5m"));
  EXPECT_THAT(reason, HasSubstr("'node9' has a hypervisor already"));
}

TEST(ManagerConfig, CpuAndMemoryAreLeftAloneUnlessAVmEnablesThem) {
  const auto plain = parse_config(kGood, "f.toml");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_FALSE(plain->fleet.vms[0].policy.cpu || plain->fleet.vms[0].policy.memory);
  const auto enabled = parse_config(
      std::string(kGood) + "cpu = {guarantee = 0.5, cap = 4, weight = 3}\nmemory = {guarantee = \"1GiB\"}\n", "f.toml");
  ASSERT_TRUE(enabled) << enabled.error().message;
  EXPECT_EQ(enabled->fleet.vms[0].policy.cpu, (model::GuestShare{500'000, 4'000'000, 3}));
  EXPECT_EQ(enabled->fleet.vms[0].policy.memory, (model::GuestShare{.guarantee = 1ull << 30}));
  const auto reason = reason_for(std::string(kGood) + "cpu = {guarantee = 2, cap = -1}\nmemory = {cap = \"0\"}\n");
  EXPECT_THAT(reason, HasSubstr("-1 is not a number of CPUs"));
  EXPECT_THAT(reason, HasSubstr("must be more than 0"));
}

TEST(ManagerConfig, RelativePathsStartAtTheFile) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "f.toml") << kGood;
  const auto config = load_config(folder / "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->link.certificates.ca, folder / "ca.crt");
  EXPECT_EQ(config->api.certificates.key, folder / "manager.key");
  EXPECT_EQ(config->state_dir, "/var/lib/foreflow");
}

TEST(ManagerConfig, AddressesHavePortsThatExist) {
  const std::string good = kGood;
  EXPECT_THAT(reason_for("[api]\nlisten = \"127.0.0.1:70000\"\n" + good),
              HasSubstr("f.toml:2: api.listen: '127.0.0.1:70000'"));
  EXPECT_THAT(reason_for("[store]\nurl = \"http://h:99999\"\n" + good), HasSubstr("store.url: 'h:99999'"));
  EXPECT_EQ(reason_for("[store]\nurl = \"https://[::1]/prefix\"\n" + good), "");
  EXPECT_EQ(reason_for("[store]\nurl = \"http://node1:8086\"\n" + good), "");
}

TEST(ManagerConfig, AnUnknownKeyNamesItsLineAndTheNearestKey) {
  EXPECT_THAT(reason_for(std::string(kGood) + "guarante = \"1M\"\n"),
              HasSubstr("f.toml:17: vm[0].guarante: unknown key; did you mean 'guarantee'?"));
}

TEST(ManagerConfig, GivesEveryReasonAtOnce) {
  const auto reason =
      reason_for(std::string(kGood) + "tier = \"gold\"\n[[vm]]\nname = \"web\"\ndataplane = \"dpu1\"\n");
  EXPECT_THAT(reason, HasSubstr("there is no tier 'gold'"));
  EXPECT_THAT(reason, HasSubstr("'web' is there twice"));
  EXPECT_THAT(reason, HasSubstr("no dataplane 'dpu1'; did you mean 'dpu0'?"));
  EXPECT_THAT(reason, HasSubstr("at least one attachment"));
}

TEST(ManagerConfig, RefusesGuaranteesThatTheUplinkCannotGive) {
  auto text = std::string(kGood);
  text.replace(text.find("\"100M\""), 6, "{egress = \"901M\"}");
  text.replace(text.find("{egress = \"500M\"}"), 17, "\"1G\"");
  EXPECT_THAT(reason_for(text),
              HasSubstr("the egress guarantees on 'dpu0' sum to 901 Mbit/s; at most 90 % of 1.00 Gbit/s"));
}

TEST(ManagerConfig, RefusesACapBelowTheGuarantee) {
  auto text = std::string(kGood);
  text.replace(text.find("\"500M\""), 6, "\"50M\"");
  EXPECT_THAT(
      reason_for(text),
      HasSubstr("the egress cap of 'web' is 50.0 Mbit/s (f.toml:15), below its guarantee of 100 Mbit/s (f.toml:14)"));
}

TEST(ManagerConfig, RefusesAMacTwiceInASegment) {
  const auto text = std::string(kGood) +
                    "[[vm]]\nname = \"db\"\ndataplane = \"dpu0\"\n"
                    "attachments = [{port = \"p1\", mac = \"52:54:00:00:00:01\", segment = 7}]\n";
  EXPECT_THAT(reason_for(text), HasSubstr("52:54:00:00:00:01 is there twice in segment 7"));
}

TEST(ManagerConfig, WhatFollowsFromAMistakeIsNotAnotherMistake) {
  auto text = std::string(kGood);
  text.replace(text.find("52:54:00:00:00:01"), 17, "52:54:00:00:00");
  text.replace(text.find("\"500M\""), 6, "\"5 apples\"");
  const auto reason = reason_for(text);
  EXPECT_THAT(reason, HasSubstr("vm[0].attachments[0].mac: '52:54:00:00:00' is not a MAC address"));
  EXPECT_THAT(reason, Not(HasSubstr("no address of a single station")));
  EXPECT_THAT(reason, Not(HasSubstr("below its guarantee")));
}

TEST(ManagerConfig, RefusesATunnelThatLeadsNowhereNew) {
  const std::string capacity = "capacity = {egress = \"1G\", ingress = \"2G\"}";
  const auto reason_with = [&](const std::string& remotes) {
    std::string text = kGood;
    text.insert(text.find(capacity) + capacity.size(),
                ", tunnel = {local = \"192.0.2.1\", next_hop = \"52:54:00:00:00:fe\", remotes = [" + remotes + "]}");
    return reason_for(text);
  };
  EXPECT_EQ(reason_with("\"192.0.2.2\", \"192.0.2.3\""), "");
  EXPECT_THAT(reason_with("\"192.0.2.1\""), HasSubstr("192.0.2.1 is this end; name each other end once"));
  EXPECT_THAT(reason_with("\"192.0.2.2\", \"192.0.2.2\""), HasSubstr("192.0.2.2 is named twice"));
}

TEST(ManagerConfig, BrokenTomlNamesTheLine) { EXPECT_THAT(reason_for("[link\n"), HasSubstr("f.toml:1:")); }

TEST(Objections, NameAWeightAndAGuaranteeThatNoAllocationCanKeep) {
  Fleet fleet;
  fleet.vms.push_back({.name = "web"});
  fleet.vms[0].policy.weight[0] = kLargestWeight + 1;
  fleet.vms[0].policy.guarantee[1] = kUnlimited;
  std::string all;
  for (const auto& objection : objections(fleet)) all += objection.reason + "\n";
  EXPECT_THAT(all, HasSubstr("the egress weight of 'web' is 1000001; a weight is 0 to 1000000"));
  EXPECT_THAT(all, HasSubstr("the ingress guarantee of 'web' cannot be unlimited"));
}

TEST(PolicyPatch, ChangesOnlyWhatItNames) {
  Policy policy{.tier = "gold"};
  policy.cap.fill(BytesPerSecond{100});
  PolicyPatch patch;
  patch.cap[index(Direction::kIngress)] = BytesPerSecond{7};
  const auto result = patched(policy, patch);
  EXPECT_EQ(result.tier, "gold");
  EXPECT_EQ(result.cap, (PerDirection<BytesPerSecond>{BytesPerSecond{100}, BytesPerSecond{7}}));
}

TEST(PolicyPatch, TheNewerWinsWhereBothSpeak) {
  PolicyPatch older, newer;
  older.tier = "gold";
  older.weight[0] = 2;
  newer.weight[0] = 5;
  const auto result = merged(older, newer);
  EXPECT_EQ(result.tier, "gold");
  EXPECT_EQ(result.weight[0], 5u);
}

}  // namespace
}  // namespace foreflow::model
