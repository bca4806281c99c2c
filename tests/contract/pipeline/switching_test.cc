// SPDX-License-Identifier: Apache-2.0
// Where packets go, and that each is counted where it belongs; with one worker and with three.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr VmId kWeb{1};
constexpr VmId kDatabase{2};
constexpr VmId kTagged{3};
constexpr MacAddress kGateway = mac(0xfe);

wire::DesiredState three_vms() {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}},
                 {kDatabase, "database", {{"database", mac(2), Segment{0}}}},
                 {kTagged, "tagged", {{"tagged", mac(3), Segment{100}}}}};
  return desired;
}

class Switching : public testing::TestWithParam<std::uint16_t> {
 protected:
  Switching() : bed_(GetParam(), {{"web"}, {"database"}, {"tagged"}, {"uplink", config::PortRole::kUplink}}) {
    bed_.apply(three_vms());
    bed_.report();
  }

  // The identity of counters, with nothing on its way and no buffer lost.
  void expect_nothing_lost(const wire::Report& report) {
    EXPECT_EQ(report.dataplane.rx_packets + report.dataplane.flood_copies,
              report.dataplane.tx_packets + sum(report.dataplane.drops));
    for (const auto& vm : report.vms)
      for (const auto& direction : vm.directions)
        EXPECT_EQ(direction.offered_packets, direction.passed_packets + sum(direction.drops));
    EXPECT_EQ(bed_.in_use(), 0u);
  }

  Testbed bed_;
};

TEST_P(Switching, AStrangersUnicastGoesToTheUplink) {
  const auto frame = make_frame({.source = mac(1), .destination = kGateway, .size = 100});
  bed_.put("web", 0, frame);
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), ElementsAre(frame));
  const auto report = bed_.report();
  const auto& egress = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  EXPECT_EQ(egress.offered_bytes, 100u);
  EXPECT_EQ(egress.passed_bytes, 100u);
  expect_nothing_lost(report);
}

TEST_P(Switching, UnicastFromTheUplinkReachesItsVm) {
  const auto frame = make_frame({.source = kGateway, .destination = mac(2), .size = 200});
  bed_.put("uplink", 1, frame);
  bed_.run();
  EXPECT_THAT(bed_.sent("database"), ElementsAre(frame));
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kDatabase).directions[index(Direction::kIngress)].passed_bytes, 200u);
  expect_nothing_lost(report);
}

TEST_P(Switching, UnicastFromTheUplinkToNobodyIsDropped) {
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(9)}));
  bed_.run();
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kUnknownVm)], 1u);
  EXPECT_THAT(bed_.sent("uplink"), IsEmpty());
  expect_nothing_lost(report);
}

TEST_P(Switching, BetweenTwoVmsBothSidesCount) {
  const auto frame = make_frame({.source = mac(1), .destination = mac(2), .size = 300});
  bed_.put("web", 0, frame);
  bed_.run();
  EXPECT_THAT(bed_.sent("database"), ElementsAre(frame));
  EXPECT_THAT(bed_.sent("uplink"), IsEmpty());
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_bytes, 300u);
  EXPECT_EQ(sample_of(report, kDatabase).directions[index(Direction::kIngress)].passed_bytes, 300u);
  expect_nothing_lost(report);
}

TEST_P(Switching, AForeignSourceMacIsSpoof) {
  bed_.put("web", 0, make_frame({.source = mac(2), .destination = kGateway}));
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), IsEmpty());
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].drops[wire::index(wire::DropCause::kSpoof)],
            1u);
  EXPECT_EQ(sample_of(report, kDatabase).directions[index(Direction::kEgress)].offered_packets, 0u);
  expect_nothing_lost(report);
}

TEST_P(Switching, AForeignSourceMacPassesWhereItIsAllowed) {
  auto desired = three_vms();
  desired.vms[0].allow_foreign_mac = true;
  bed_.apply(desired);
  bed_.put("web", 0, make_frame({.source = mac(77), .destination = kGateway}));
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(1));
}

TEST_P(Switching, ATagOnAnAccessPortIsSpoof) {
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = mac(3), .vlan = 100}));
  bed_.run();
  EXPECT_THAT(bed_.sent("tagged"), IsEmpty());
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kSpoof)], 1u);
  expect_nothing_lost(report);
}

TEST_P(Switching, TheUplinkCarriesTheTagOfTheSegment) {
  const FrameSpec spec{.source = mac(3), .destination = kGateway, .payload = "hello"};
  auto tagged = spec;
  tagged.vlan = 100;
  bed_.put("tagged", 0, make_frame(spec));
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), ElementsAre(make_frame(tagged)));

  FrameSpec answer{.source = kGateway, .destination = mac(3), .vlan = 100, .payload = "answer"};
  bed_.put("uplink", 0, make_frame(answer));
  bed_.run();
  answer.vlan = 0;
  const auto plain = make_frame(answer);
  EXPECT_THAT(bed_.sent("tagged"), ElementsAre(plain));
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kTagged).directions[index(Direction::kIngress)].passed_bytes, plain.size());
  expect_nothing_lost(report);
}

TEST_P(Switching, SegmentsAreIsolated) {
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(3)}));               // tagged's MAC, no tag
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(1), .vlan = 100}));  // web's MAC, a tag
  bed_.run();
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kUnknownVm)], 2u);
  expect_nothing_lost(report);
}

TEST_P(Switching, ABroadcastFromAVmReachesItsSegmentAndTheUplinkOnly) {
  const auto frame = make_frame({.source = mac(1), .destination = kBroadcast, .size = 64});
  bed_.put("web", 0, frame);
  bed_.run();
  EXPECT_THAT(bed_.sent("database"), ElementsAre(frame));
  EXPECT_THAT(bed_.sent("uplink"), ElementsAre(frame));
  EXPECT_THAT(bed_.sent("web"), IsEmpty());
  EXPECT_THAT(bed_.sent("tagged"), IsEmpty());
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.flood_copies, 1u);
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_packets, 1u);
  EXPECT_EQ(sample_of(report, kDatabase).directions[index(Direction::kIngress)].passed_packets, 1u);
  expect_nothing_lost(report);
}

TEST_P(Switching, ABroadcastInATaggedSegmentIsTaggedAtTheUplinkAndNowhereElse) {
  auto desired = three_vms();
  desired.vms[0].attachments[0].segment = desired.vms[1].attachments[0].segment = Segment{100};
  bed_.apply(desired);
  FrameSpec spec{.source = mac(3), .destination = kBroadcast, .payload = "who has"};
  const auto plain = make_frame(spec);
  spec.vlan = 100;
  bed_.put("tagged", 0, plain);
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), ElementsAre(make_frame(spec)));
  EXPECT_THAT(bed_.sent("web"), ElementsAre(plain));
  EXPECT_THAT(bed_.sent("database"), ElementsAre(plain));
  expect_nothing_lost(bed_.report());
}

TEST_P(Switching, ABroadcastFromTheUplinkReachesTheSegmentAndNotTheUplink) {
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = kBroadcast}));
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), SizeIs(1));
  EXPECT_THAT(bed_.sent("database"), SizeIs(1));
  EXPECT_THAT(bed_.sent("tagged"), IsEmpty());
  EXPECT_THAT(bed_.sent("uplink"), IsEmpty());
  expect_nothing_lost(bed_.report());
}

TEST_P(Switching, AMalformedFrameIsCountedToItsSender) {
  auto frame = make_frame({.source = mac(1), .destination = kGateway});
  frame.resize(20);
  bed_.put("web", 0, frame);
  bed_.run();
  const auto report = bed_.report();
  EXPECT_EQ(
      sample_of(report, kWeb).directions[index(Direction::kEgress)].drops[wire::index(wire::DropCause::kMalformed)],
      1u);
  expect_nothing_lost(report);
}

TEST_P(Switching, AFrameLargerThanItsPortIsOversizeAndOneThatCannotLeaveHasTheWrongMtu) {
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = kGateway, .size = 1515}));
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(1), .size = 1515}));
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = kGateway, .size = 1514}));
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(1));
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kOversize)], 1u);
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kMtu)], 1u);
  expect_nothing_lost(report);
}

TEST_P(Switching, AGuestThatDoesNotReadLosesItsOwnPacketsAlone) {
  constexpr unsigned kFrames = 13'000;  // three transmit rings of 4,095 hold less
  for (unsigned sent = 0; sent < kFrames; ++sent) {
    bed_.put("uplink", static_cast<std::uint16_t>(sent % GetParam()),
             make_frame({.source = kGateway, .destination = mac(1)}));
    bed_.put("uplink", static_cast<std::uint16_t>(sent % GetParam()),
             make_frame({.source = kGateway, .destination = mac(2)}));
    if (sent % 512 != 511) continue;
    bed_.run();
    bed_.sent("database");
  }
  bed_.run();
  bed_.sent("database");
  const auto report = bed_.report();
  const auto& ingress = sample_of(report, kWeb).directions[index(Direction::kIngress)];
  EXPECT_EQ(ingress.offered_packets, kFrames);
  EXPECT_GT(ingress.drops[wire::index(wire::DropCause::kGuestFull)], 0u);
  EXPECT_EQ(ingress.drops[wire::index(wire::DropCause::kGuestFull)], sum(report.dataplane.drops));
  EXPECT_EQ(sample_of(report, kDatabase).directions[index(Direction::kIngress)].passed_packets, kFrames);
  EXPECT_EQ(bed_.sent("web").size(), ingress.passed_packets);
  expect_nothing_lost(report);
}

TEST_P(Switching, AVmThatIsGoneIsAnUnknownVm) {
  auto desired = three_vms();
  desired.vms.erase(desired.vms.begin());
  bed_.apply(desired);
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(1)}));
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), IsEmpty());
  expect_nothing_lost(bed_.report());
}

TEST_P(Switching, ASlotThatChangesHandsStartsWithoutFlowsAndCounters) {
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = kGateway}));
  bed_.run();
  auto desired = three_vms();
  desired.vms.erase(desired.vms.begin());
  bed_.apply(desired);
  desired.vms.push_back({VmId{4}, "newcomer", {{"web", mac(4), Segment{0}}}});
  bed_.apply(desired);
  const auto report = bed_.report();
  const auto& newcomer = sample_of(report, VmId{4});
  EXPECT_EQ(newcomer.directions[index(Direction::kEgress)].offered_packets, 0u);
  EXPECT_EQ(newcomer.connections_active, 0u);
}

// Where no flow is followed, most packets of a burst are only counted; one that is looked at closer keeps its place.
TEST(SwitchingUnfollowed, PacketsLeaveInTheOrderTheyCame) {
  Testbed bed(1, {{"web"}, {"database"}, {"uplink", config::PortRole::kUplink}}, {}, nullptr, {}, 0);
  auto desired = three_vms();
  desired.vms.pop_back();
  bed.apply(desired);
  bed.report();
  std::vector<FrameBytes> frames;
  for (std::uint16_t number = 0; number < 100; ++number) {
    FrameSpec spec{.source = mac(1), .destination = mac(2), .source_port = number, .size = 100u + number};
    auto frame = make_frame(spec);
    if (number % 7 == 3) frame[20] = 0x20;  // a fragment, which only parse() reads
    frames.push_back(frame);
    bed.put("web", 0, frame);
  }
  bed.run();
  EXPECT_EQ(bed.sent("database"), frames);
  const auto report = bed.report();
  for (const auto& [vm, direction] : {std::pair{kWeb, Direction::kEgress}, std::pair{kDatabase, Direction::kIngress}}) {
    const auto& counts = sample_of(report, vm).directions[index(direction)];
    EXPECT_EQ(counts.passed_packets, 100u);
    EXPECT_EQ(counts.passed_bytes, 100u * 100 + 99 * 100 / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, Switching, testing::Values(1, 3));

}  // namespace
}  // namespace foreflow::pipeline
