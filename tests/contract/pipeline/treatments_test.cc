// SPDX-License-Identifier: Apache-2.0
// The operator's rules in the pipeline, and what reports say of them.
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::SizeIs;
using wire::Placement;
using wire::Treatment;

constexpr VmId kWeb{1};
constexpr VmId kDb{2};
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kTrafficClass = 15;

// Workers, and flows that each can follow.
class Treatments : public testing::TestWithParam<std::tuple<std::uint16_t, std::uint32_t>> {
 protected:
  wire::Applied apply(std::vector<wire::Treatment> treatments) {
    wire::DesiredState desired;
    desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}}, {kDb, "db", {{"db", mac(2), Segment{0}}}}};
    for (std::uint64_t i = 0; i < treatments.size(); ++i) {
      auto& intent = desired.intents.emplace_back();
      intent.id = IntentId{i + 1};
      intent.priority = static_cast<std::uint32_t>(i);
      treatments[i].vm = treatments[i].vm.value == 0 ? kWeb : treatments[i].vm;
      intent.what = treatments[i];
    }
    return bed_.apply(desired);
  }
  static FrameBytes out(std::uint16_t remote_port) {
    return make_frame({.source = mac(1), .destination = mac(99), .destination_port = remote_port});
  }
  void send(const FrameBytes& frame) {
    bed_.put("web", 0, frame);
    bed_.run();
  }
  std::uint64_t filtered(const wire::Report& report, VmId vm, Direction direction) {
    return sample_of(report, vm).directions[index(direction)].drops[wire::index(wire::DropCause::kFiltered)];
  }

  Testbed bed_{std::get<0>(GetParam()),
               {{"web"}, {"db", {}, 1500, 1}, {"probe"}, {"uplink", config::PortRole::kUplink, 1500, 2}},
               {},
               nullptr,
               {},
               std::get<1>(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Workers, Treatments,
                         testing::Combine(testing::Values(1, 3), testing::Values(0, Testbed::kFlows)));

TEST_P(Treatments, ADroppedPacketIsCountedForTheVmAndTheRule) {
  const auto applied = apply({{.match = {.ip_protocol = kUdp, .remote_port = 53}, .drop = true}});
  EXPECT_EQ(applied.results[0].placement, Placement::kSoftware);
  send(out(53));
  send(out(54));
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(1));
  const auto report = bed_.report();
  EXPECT_EQ(filtered(report, kWeb, Direction::kEgress), 1u);
  ASSERT_THAT(report.intents, SizeIs(1));
  EXPECT_EQ(report.intents[0].dropped_packets, 1u);
  EXPECT_EQ(report.intents[0].dropped_bytes, out(53).size());
  EXPECT_EQ(bed_.in_use(), 0u);
}

TEST_P(Treatments, BetweenTwoVmsBothSidesRulesHold) {
  const wire::TrafficMatch dns{.ip_protocol = kUdp, .remote_port = 53};
  const wire::TrafficMatch from_port_80{.ip_protocol = kUdp, .remote_port = 80};
  apply({{.match = dns, .drop = true},
         {.vm = kDb, .direction = Direction::kIngress, .match = from_port_80, .drop = true}});
  const auto send_to_db = [&](std::uint16_t source_port, std::uint16_t destination_port) {
    send(make_frame(
        {.source = mac(1), .destination = mac(2), .source_port = source_port, .destination_port = destination_port}));
  };
  send_to_db(1000, 53);
  send_to_db(80, 54);
  send_to_db(1000, 54);
  EXPECT_THAT(bed_.sent("db"), SizeIs(1));
  const auto report = bed_.report();
  EXPECT_EQ(filtered(report, kWeb, Direction::kEgress), 1u);
  EXPECT_EQ(filtered(report, kDb, Direction::kIngress), 1u);
}

TEST_P(Treatments, MarkingWritesTheTrafficClass) {
  apply({{.dscp = 46}});
  send(out(53));
  const auto sent = bed_.sent("uplink");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0][kTrafficClass], 46 << 2);
}

TEST_P(Treatments, MarkingOneReceiversCopyLeavesTheOthersAlone) {
  apply({{.vm = kDb, .direction = Direction::kIngress, .dscp = 46}});
  bed_.put("uplink", 0, make_frame({.source = mac(99), .destination = kBroadcast}));
  bed_.run();
  const auto web = bed_.sent("web");
  const auto db = bed_.sent("db");
  ASSERT_THAT(web, SizeIs(1));
  ASSERT_THAT(db, SizeIs(1));
  EXPECT_EQ(web[0][kTrafficClass], 0);
  EXPECT_EQ(db[0][kTrafficClass], 46 << 2);
}

TEST_P(Treatments, OneInSoManyPacketsIsMirrored) {
  apply({{.mirror = wire::Mirror{"probe", 4}}});
  for (int i = 0; i < 12; ++i) send(out(53));
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(12));
  EXPECT_THAT(bed_.sent("probe"), SizeIs(3));
  const auto total = bed_.report().dataplane;
  EXPECT_EQ(total.rx_packets + total.flood_copies, total.tx_packets + sum(total.drops));
}

TEST_P(Treatments, SteeredPacketsLeaveThroughTheNamedPort) {
  apply({{.match = {.ip_protocol = kUdp, .remote_port = 53}, .steer_port = "probe"}});
  send(out(53));
  send(out(54));
  EXPECT_THAT(bed_.sent("probe"), SizeIs(1));
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(1));
  EXPECT_EQ(sample_of(bed_.report(), kWeb).directions[index(Direction::kEgress)].passed_packets, 2u);
}

TEST_P(Treatments, SteeredPacketsLeaveThroughTheirQueuesAlone) {
  apply({{.match = {.ip_protocol = kUdp, .remote_port = 53}, .queue_group = 2},
         {.vm = kDb, .direction = Direction::kIngress, .match = {.ip_protocol = kUdp}, .queue_group = 1}});
  send(out(53));
  send(out(54));
  send(make_frame({.source = mac(1), .destination = mac(2), .destination_port = 53}));
  EXPECT_THAT(bed_.sent("uplink", 0), SizeIs(1));
  EXPECT_THAT(bed_.sent("uplink", 1), SizeIs(0));
  EXPECT_THAT(bed_.sent("uplink", 2), testing::ElementsAre(out(53)));
  EXPECT_THAT(bed_.sent("db", 0), SizeIs(0));
  EXPECT_THAT(bed_.sent("db", 1), SizeIs(1)) << "the receiver's rule decides where it leaves to the receiver";
}

TEST_P(Treatments, AGroupThatThePortDoesNotHaveIsTheCommonOne) {
  apply({{.vm = kWeb, .direction = Direction::kIngress, .queue_group = 1}});
  bed_.put("uplink", 0, make_frame({.source = mac(99), .destination = mac(1)}));
  bed_.run();
  EXPECT_THAT(bed_.sent("web", 0), SizeIs(1));
}

TEST_P(Treatments, AGroupThatNoPortHasIsRefused) {
  const auto result = apply({{.queue_group = 3}}).results[0];
  EXPECT_EQ(result.placement, Placement::kRefused);
  EXPECT_EQ(result.reason,
            "no port of this dataplane has an isolated queue group 3; [[port]] queue_groups = 3 gives it one");
}

TEST_P(Treatments, AFloodOfSteeredPacketsTakesNoQueueFromTheOthers) {
  constexpr int kFlood = 6'000;  // more than a ring holds
  apply({{.match = {.ip_protocol = kUdp, .remote_port = 53}, .queue_group = 1}});
  for (int i = 0; i < kFlood; ++i) send(out(53));
  for (int i = 0; i < 10; ++i) send(out(54));
  EXPECT_THAT(bed_.sent("uplink", 0), SizeIs(10));
  EXPECT_LT(bed_.sent("uplink", 1).size(), std::size_t{kFlood});
  const auto total = bed_.report().dataplane;
  EXPECT_EQ(total.rx_packets, total.tx_packets + sum(total.drops));
}

TEST_P(Treatments, TheFirstMatchWinsAndCounts) {
  apply({{.match = {.ip_protocol = kUdp, .remote_port = 53}}, {}});
  send(out(53));
  send(out(54));
  send(out(55));
  const auto report = bed_.report();
  ASSERT_THAT(report.intents, SizeIs(2));
  EXPECT_EQ(report.intents[0].passed_packets, 1u);
  EXPECT_EQ(report.intents[1].passed_packets, 2u);
}

TEST_P(Treatments, ARuleThatMatchesNothingForItsAgeIsIdle) {
  apply({{.idle_seconds = 2}});
  send(out(53));
  EXPECT_FALSE(bed_.report().intents.at(0).idle);
  EXPECT_FALSE(bed_.report().intents.at(0).idle);
  EXPECT_TRUE(bed_.report().intents.at(0).idle) << "two intervals of a second without a match";
  send(out(53));
  EXPECT_FALSE(bed_.report().intents.at(0).idle);
}

TEST_P(Treatments, AnUnknownPortIsRefusedAndNothingElse) {
  const auto applied = apply({{.mirror = wire::Mirror{"nowhere"}}});
  EXPECT_EQ(applied.results[0].placement, Placement::kRefused);
  EXPECT_EQ(applied.results[0].reason, "this dataplane has no port 'nowhere'");
  send(out(53));
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(1));
}

}  // namespace
}  // namespace foreflow::pipeline
