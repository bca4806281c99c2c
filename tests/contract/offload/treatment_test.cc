// SPDX-License-Identifier: Apache-2.0
// Treatments in the device, and which of them end up in the pipeline instead.
#include <gmock/gmock.h>

#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"
#include "tests/contract/pipeline/frames.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;
using ::testing::SizeIs;
using wire::Placement;

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kTrafficClass = 15;  // of an untagged IPv4 frame

pipeline::FrameBytes from_web(std::uint16_t remote_port, std::uint8_t protocol = kUdp) {
  return pipeline::make_frame(
      {.source = kWeb, .destination = kOutside, .protocol = protocol, .destination_port = remote_port});
}

class TreatmentTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    ASSERT_TRUE(enforcer_.probe(kAllPorts).hardware_meters);
  }
  std::vector<wire::IntentResult> enforce(const std::vector<ResolvedIntent>& intents) {
    auto results = enforcer_.prepare(set_of(intents));
    enforcer_.retire();
    return results;
  }
  wire::IntentStats stats(std::uint64_t id) {
    for (const auto& device : enforcer_.read_device_stats())
      if (device.stats.id == IntentId{id}) return device.stats;
    ADD_FAILURE() << "the device has nothing of intent " << id;
    return {};
  }
  Enforcer enforcer_{std::make_unique<RteFlowBackend>()};
};

TEST_F(TreatmentTest, WhatIsToBeDroppedNeverReachesTheReceiver) {
  const auto results = enforce({treating(1, kWeb, {.match = {.ip_protocol = kUdp, .remote_port = 53}, .drop = true})});
  ASSERT_EQ(results[0].placement, Placement::kHardware) << results[0].reason;
  EXPECT_TRUE(pass(kWebPort, from_web(53)).empty());
  EXPECT_FALSE(pass(kWebPort, from_web(54)).empty());
  EXPECT_FALSE(pass(kWebPort, from_web(53, kTcp)).empty());
  EXPECT_EQ(stats(1).dropped_packets, 1u);
  EXPECT_EQ(stats(1).dropped_bytes, from_web(53).size());
  EXPECT_EQ(enforcer_.read_device_stats()[0].cause, wire::DropCause::kFiltered);
}

TEST_F(TreatmentTest, MarkingChangesTheTrafficClassAndKeepsTheChecksumRight) {
  ASSERT_EQ(enforce({treating(1, kWeb, {.dscp = 46})})[0].placement, Placement::kHardware);
  const auto before = from_web(53);
  const auto after = pass(kWebPort, before);
  ASSERT_EQ(after.size(), before.size());
  EXPECT_EQ(after[kTrafficClass], 46 << 2);
  const auto sum = [](const std::vector<std::uint8_t>& frame) {
    std::uint32_t total = 0;
    for (std::size_t at = 14; at < 34; at += 2) total += frame[at] << 8 | frame[at + 1];
    return (total & 0xffff) + (total >> 16);
  };
  EXPECT_EQ(sum(before), sum(after)) << "RFC 1071: the sum over header and checksum stays what it was";
}

TEST_F(TreatmentTest, TheStrongestMatchWins) {
  auto all = treating(1, kWeb, {});
  all.intent.priority = 5;
  auto dns = treating(2, kWeb, {.match = {.ip_protocol = kUdp, .remote_port = 53}});
  dns.intent.priority = 4;
  for (const auto& result : enforce({all, dns})) EXPECT_EQ(result.placement, Placement::kHardware) << result.reason;
  pass(kWebPort, from_web(53));
  pass(kWebPort, from_web(54));
  EXPECT_EQ(stats(1).passed_packets, 1u);
  EXPECT_EQ(stats(2).passed_packets, 1u);
}

TEST_F(TreatmentTest, RemoteAddressesAreMatchedByPrefix) {
  const Ipv4Address net{{10, 0, 0, 0}};
  enforce({treating(1, kWeb, {.match = {.remote = net, .remote_prefix = 30}, .drop = true})});
  auto frame = pipeline::FrameSpec{.source = kWeb, .destination = kOutside, .destination_host = 3};
  EXPECT_TRUE(pass(kWebPort, pipeline::make_frame(frame)).empty());
  frame.destination_host = 4;
  EXPECT_FALSE(pass(kWebPort, pipeline::make_frame(frame)).empty());
}

TEST_F(TreatmentTest, WhatReachesAVmIsTreatedWhereverItComesFrom) {
  enforce({treating(1, kWeb, {.direction = Direction::kIngress, .match = {.ip_protocol = kUdp}, .drop = true})});
  const auto to_web = pipeline::make_frame({.source = kRed, .destination = kWeb});
  EXPECT_TRUE(pass(kSharedPort, to_web).empty());
  EXPECT_TRUE(pass(kUplink, to_web).empty());
  EXPECT_EQ(stats(1).dropped_packets, 2u);
}

TEST_F(TreatmentTest, AMirrorGivesACopyAndKeepsThePacket) {
  ASSERT_EQ(enforce({treating(1, kWeb, {.mirror = wire::Mirror{"probe"}})})[0].placement, Placement::kHardware);
  EXPECT_EQ(pass(kWebPort, from_web(53)), from_web(53));
  const auto copies = left_through(kUnusedPort);
  ASSERT_THAT(copies, SizeIs(1));
  EXPECT_EQ(copies[0], from_web(53));
  EXPECT_EQ(frames_in_use(), 0u);
}

TEST_F(TreatmentTest, ADeviceThatRefusesSampledCopiesLeavesThemToThePipeline) {
  const auto result = enforce({treating(1, kWeb, {.mirror = wire::Mirror{"probe", 100}})})[0];
  EXPECT_EQ(result.placement, Placement::kSoftware);
  EXPECT_THAT(result.reason, HasSubstr("optional action for sampling"));
  ASSERT_THAT(enforcer_.software_treatments(), SizeIs(1));
  EXPECT_EQ(enforcer_.software_treatments()[0].mirror_port, kUnusedPort);
  EXPECT_EQ(emulated::usage().rules, 0u) << "what was begun is undone";
}

TEST_F(TreatmentTest, ARuleThatAgesTellsThatNothingMatches) {
  enforce({treating(1, kWeb, {.idle_seconds = 10})});
  advance(9 * kSecond);
  EXPECT_FALSE(stats(1).idle);
  pass(kWebPort, from_web(53));
  advance(9 * kSecond);
  EXPECT_FALSE(stats(1).idle) << "a match starts it anew";
  advance(2 * kSecond);
  EXPECT_TRUE(stats(1).idle);
}

TEST_F(TreatmentTest, WhatOnlyThePipelineKnowsIsLeftToItWithTheReason) {
  const auto by_class = enforce({treating(1, kWeb, {.match = {.category = Category::kVideo}, .dscp = 34})})[0];
  EXPECT_EQ(by_class.placement, Placement::kSoftware);
  EXPECT_THAT(by_class.reason, HasSubstr("recognised in the pipeline"));
  auto required = treating(1, kWeb, {.match = {.category = Category::kVideo}, .dscp = 34});
  required.intent.demand = wire::Demand::kRequireHardware;
  EXPECT_EQ(enforce({required})[0].placement, Placement::kRefused);
  EXPECT_TRUE(enforcer_.software_treatments().empty());
}

TEST_F(TreatmentTest, TheDeviceMarksWhatThePipelineIsToSteer) {
  const auto results = enforce({treating(1, kWeb, {.match = {.ip_protocol = kUdp}, .steer_port = "probe"}),
                                treating(2, kWeb, {.match = {.ip_protocol = kTcp}, .queue_group = 2})});
  for (const auto& result : results) ASSERT_EQ(result.placement, Placement::kHardware) << result.reason;
  EXPECT_EQ(steering_of(kWebPort, from_web(53)), (Steering{.port = kUnusedPort}));
  EXPECT_EQ(steering_of(kWebPort, from_web(53, kTcp)), (Steering{.queue_group = 2}));
  EXPECT_EQ(steering_of(kWebPort, from_web(53, kIcmp)), Steering{});
  EXPECT_EQ(stats(1).passed_packets, 1u);
  EXPECT_EQ(enforcer_.marked(), std::set{VmId{kWeb.octets[5]}});
  EXPECT_THAT(*enforcer_.explain(IntentId{2}), HasSubstr("META 0x02 at bit 0 (the pipeline steers by it)"));
}

TEST_F(TreatmentTest, TheDeviceMarksTheClassInWhichPacketsWaitForTheUplink) {
  auto video = treating(1, kWeb, {.match = {.ip_protocol = kUdp}, .dscp = 34, .queue = 0});
  auto limit = egress_limit(2, kWeb, BytesPerSecond{1'000'000});
  auto bypass = video;
  bypass.intent.id = IntentId{3};
  bypass.intent.what = wire::Bypass{.vm = wire::vm_of(video.intent)};
  video.queued = limit.queued = bypass.queued = true;
  const auto results = enforce({video, limit, bypass});
  EXPECT_EQ(results[0].placement, Placement::kHardware) << results[0].reason;
  EXPECT_EQ(steering_of(kWebPort, from_web(53)), (Steering{.queue = 0}));
  EXPECT_EQ(steering_of(kWebPort, from_web(53, kTcp)), Steering{});
  EXPECT_EQ(results[1].placement, Placement::kSoftware);
  EXPECT_THAT(results[1].reason, HasSubstr("keep room for what is guaranteed"));
  EXPECT_EQ(results[2].placement, Placement::kSoftware);
}

TEST_F(TreatmentTest, WhatIsSteeredAwayIsNotMeteredForItsAddressee) {
  enforce({treating(1, kWeb, {.match = {.ip_protocol = kUdp}, .steer_port = "probe"}),
           ingress_limit(2, kRed, BytesPerSecond{1'000}), egress_limit(3, kWeb, BytesPerSecond{1'000'000})});
  const auto to_red = [](std::uint8_t protocol) {
    return pipeline::make_frame({.source = kWeb, .destination = kRed, .protocol = protocol});
  };
  EXPECT_FALSE(pass(kWebPort, to_red(kUdp)).empty());
  EXPECT_FALSE(pass(kWebPort, to_red(kTcp)).empty());
  EXPECT_EQ(stats(2).passed_packets + stats(2).dropped_packets, 1u);
  EXPECT_EQ(stats(3).passed_packets, 2u) << "its sender is metered all the same";
}

TEST_F(TreatmentTest, ADeviceWithoutMetadataLeavesSteeringToThePipeline) {
  use({.metadata = false});
  Enforcer plain{std::make_unique<RteFlowBackend>()};
  ASSERT_TRUE(plain.probe(kAllPorts).hardware_meters);
  auto steering = treating(1, kWeb, {.steer_port = "probe"});
  const auto result = plain.prepare(set_of({steering}))[0];
  EXPECT_EQ(result.placement, Placement::kSoftware);
  EXPECT_THAT(result.reason, HasSubstr("extended metadata feature isn't enabled"));
  EXPECT_TRUE(plain.marked().empty());
  steering.intent.demand = wire::Demand::kRequireHardware;
  EXPECT_EQ(plain.prepare(set_of({steering}))[0].placement, Placement::kRefused);
}

TEST_F(TreatmentTest, NothingIsLeftOfASteeringRuleThatWentAway) {
  const auto before = emulated::usage().rules;
  enforce({treating(1, kWeb, {.steer_port = "probe"})});
  EXPECT_GT(emulated::usage().rules, before);
  enforce({});
  EXPECT_EQ(emulated::usage().rules, before);
  EXPECT_TRUE(enforcer_.marked().empty());
}

TEST_F(TreatmentTest, RulesThatShareWithOneInThePipelineFollowIt) {
  auto video = treating(1, kWeb, {.match = {.category = Category::kVideo}, .dscp = 34});
  const auto all_udp = treating(2, kWeb, {.match = {.ip_protocol = kUdp}, .drop = true});
  const auto inwards = treating(3, kWeb, {.direction = Direction::kIngress, .match = {.ip_protocol = kUdp}});
  const auto results = enforce({video, all_udp, inwards});
  EXPECT_EQ(results[1].placement, Placement::kSoftware);
  EXPECT_THAT(results[1].reason, HasSubstr("rule 1 can match the same packets"));
  EXPECT_EQ(results[2].placement, Placement::kHardware) << "the other direction has packets of its own";
}

TEST_F(TreatmentTest, ARuleOfAnUnknownPortIsRefused) {
  auto lost = treating(1, kWeb, {.mirror = wire::Mirror{"nowhere"}});
  lost.impossible = "this dataplane has no port 'nowhere'";
  const auto result = enforce({lost})[0];
  EXPECT_EQ(result.placement, Placement::kRefused);
  EXPECT_EQ(result.reason, lost.impossible);
}

TEST_F(TreatmentTest, AChangedRuleKeepsWhatItCounted) {
  enforce({treating(1, kWeb, {})});
  pass(kWebPort, from_web(53));
  enforce({treating(1, kWeb, {.dscp = 8})});
  const auto marked = pass(kWebPort, from_web(53));
  ASSERT_FALSE(marked.empty());
  EXPECT_EQ(marked[kTrafficClass], 8 << 2);
  EXPECT_EQ(stats(1).passed_packets, 2u);
}

TEST_F(TreatmentTest, TreatedPacketsPassTheMeterAfterwards) {
  enforce({treating(1, kWeb, {.dscp = 8}), egress_limit(2, kWeb, BytesPerSecond{1'000'000})});
  std::uint32_t reached = 0;
  for (int i = 0; i < 40; ++i)
    reached +=
        pass(kWebPort, pipeline::make_frame({.source = kWeb, .destination = kOutside, .size = 1'000})).empty() ? 0 : 1;
  EXPECT_EQ(reached, 16u);
  EXPECT_EQ(stats(1).passed_packets, 40u);
  EXPECT_EQ(stats(2).dropped_packets, 24u);
}

TEST_F(TreatmentTest, AllOfItIsTakenAwayAgain) {
  enforce({treating(1, kWeb, {.dscp = 8, .mirror = wire::Mirror{"probe"}, .idle_seconds = 5}),
           treating(2, kWeb, {.direction = Direction::kIngress, .drop = true})});
  EXPECT_GT(emulated::usage().rules, 0u);
  enforce({});
  EXPECT_EQ(emulated::usage().rules, 0u);
}

}  // namespace
}  // namespace foreflow::offload
