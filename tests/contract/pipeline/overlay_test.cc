// SPDX-License-Identifier: Apache-2.0
// Networks with a VNI at the uplink: VMs are found behind the tunnel's header, and what they send gets one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using wire::DropCause;
using wire::TunnelKind;

constexpr VmId kWeb{1};
constexpr VmId kOther{2};
constexpr MacAddress kFar = mac(0x99);
constexpr Ipv4Address kHere{{192, 0, 2, 1}}, kThere{{192, 0, 2, 2}}, kElsewhere{{192, 0, 2, 3}};

wire::DesiredState two_tenants(TunnelKind kind) {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  const auto port = static_cast<std::uint16_t>(kind == TunnelKind::kVxlan ? 4789 : 6081);
  desired.uplinks = {
      {"uplink", {kUnlimited, kUnlimited}, wire::TunnelSpec{kind, kHere, mac(0xf0), port, {kThere, kElsewhere}}}};
  // The same addresses in two networks.
  desired.vms = {{kWeb, "web", {{"web", mac(1), overlay(5)}}}, {kOther, "other", {{"other", mac(1), overlay(6)}}}};
  return desired;
}

class Overlay : public testing::TestWithParam<std::tuple<std::uint16_t, TunnelKind>> {
 protected:
  Overlay() : bed_(std::get<0>(GetParam()), {{"web"}, {"other"}, {"uplink", config::PortRole::kUplink, 1600}}) {
    bed_.apply(two_tenants(kind()));
    EXPECT_THAT(bed_.problems(), IsEmpty());
    bed_.report();
  }
  static TunnelKind kind() { return std::get<1>(GetParam()); }
  net::TunnelEnd end(Ipv4Address address, const MacAddress& source = mac(0xf0)) const {
    const auto port = static_cast<std::uint16_t>(kind() == TunnelKind::kVxlan ? 4789 : 6081);
    return {kind(), address, source, bed_.find("uplink").mac, port};
  }
  FrameBytes incoming(std::uint32_t vni, const FrameBytes& inner, Ipv4Address from = kThere) const {
    return make_overlay(end(from), kHere, vni, inner);
  }
  // What left is for `remote`, in this network; the frame inside.
  FrameBytes unwrapped(const FrameBytes& outer, Ipv4Address remote, std::uint32_t vni) {
    net::Parsed parsed;
    EXPECT_EQ(net::parse(outer, static_cast<std::uint32_t>(outer.size()), parsed), net::ParseStatus::kOk);
    EXPECT_EQ(parsed.source, bed_.find("uplink").mac);
    EXPECT_EQ(parsed.destination, mac(0xf0));
    net::Inner inner;
    EXPECT_EQ(net::find_inner(end(remote), parsed, outer, inner), net::TunnelStatus::kInner);
    EXPECT_EQ(inner.vni, vni);
    EXPECT_EQ(inner.from, kHere);
    return {outer.begin() + static_cast<std::ptrdiff_t>(inner.offset), outer.end()};
  }
  std::uint64_t drops(const wire::Report& report, DropCause cause) {
    EXPECT_EQ(report.dataplane.rx_packets + report.dataplane.flood_copies,
              report.dataplane.tx_packets + sum(report.dataplane.drops));
    EXPECT_EQ(bed_.in_use(), 0u);
    return report.dataplane.drops[wire::index(cause)];
  }
  std::uint64_t dropped(const FrameBytes& frame, DropCause cause) {
    bed_.put("uplink", 0, frame);
    bed_.run();
    EXPECT_THAT(bed_.sent("web"), IsEmpty());
    return drops(bed_.report(), cause);
  }

  Testbed bed_;
  FrameBytes to_web_ = make_frame({.source = kFar, .destination = mac(1), .payload = "hello", .size = 200});
  FrameBytes to_far_ = make_frame({.source = mac(1), .destination = kFar, .size = 300});
};
INSTANTIATE_TEST_SUITE_P(Kinds, Overlay,
                         testing::Combine(testing::Values(1, 3),
                                          testing::Values(TunnelKind::kVxlan, TunnelKind::kGeneve)));

TEST_P(Overlay, TheVmIsFoundByNetworkAndInnerMac) {
  bed_.put("uplink", 0, incoming(5, to_web_));
  bed_.put("uplink", 1, incoming(6, to_web_));
  bed_.put("uplink", 1, incoming(6, to_web_));
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), ElementsAre(to_web_));
  EXPECT_THAT(bed_.sent("other"), ElementsAre(to_web_, to_web_));
  const auto report = bed_.report();
  const auto& ingress = sample_of(report, kWeb).directions[index(Direction::kIngress)];
  EXPECT_EQ(ingress.offered_bytes, 200u);
  EXPECT_EQ(ingress.passed_packets, 1u);
  EXPECT_EQ(sample_of(report, kWeb).connections_opened, 1u);
  EXPECT_EQ(drops(report, DropCause::kUnknownVm), 0u);
}

TEST_P(Overlay, ANetworkWithoutTheVmDoesNotReachIt) {
  EXPECT_EQ(dropped(incoming(7, to_web_), DropCause::kUnknownVm), 1u);
  EXPECT_EQ(dropped(to_web_, DropCause::kUnknownVm), 1u);
}

TEST_P(Overlay, AFrameToAnUnknownAddressGoesToAllEndsAndCountsOnce) {
  bed_.put("web", 0, to_far_);
  bed_.run();
  auto sent = bed_.sent("uplink");
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(unwrapped(sent[0], kElsewhere, 5), to_far_);
  EXPECT_EQ(unwrapped(sent[1], kThere, 5), to_far_);
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_bytes, 300u);
  EXPECT_EQ(report.dataplane.flood_copies, 1u);
  EXPECT_EQ(drops(report, DropCause::kNoBuffer), 0u);
}

TEST_P(Overlay, AnAddressIsReachedWhereItWasSeenLast) {
  for (const auto end : {kThere, kElsewhere}) {
    bed_.put("uplink", 0, incoming(5, to_web_, end));
    bed_.put("uplink", 2, incoming(6, to_web_, end == kThere ? kElsewhere : kThere));  // who else has that address
    bed_.run();
    bed_.put("web", 1, to_far_);
    bed_.run();
    const auto sent = bed_.sent("uplink");
    ASSERT_THAT(sent, SizeIs(1));
    EXPECT_EQ(unwrapped(sent[0], end, 5), to_far_);
  }
  bed_.sent("web");
  bed_.sent("other");
  bed_.run_at(400 * Testbed::kSecond);
  bed_.put("web", 0, to_far_);
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(2)) << "forgotten after five minutes";
}

TEST_P(Overlay, BroadcastsGoToAllEndsAndComeFromThem) {
  const auto out = make_frame({.source = mac(1), .destination = kBroadcast, .size = 100});
  bed_.put("web", 0, out);
  bed_.run();
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(2));
  const auto in = make_frame({.source = kFar, .destination = kBroadcast, .size = 100});
  bed_.put("uplink", 0, incoming(5, in, kElsewhere));
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), ElementsAre(in));
  EXPECT_THAT(bed_.sent("other"), IsEmpty());
  bed_.put("web", 0, to_far_);
  bed_.run();
  const auto sent = bed_.sent("uplink");
  ASSERT_THAT(sent, SizeIs(1)) << "who asked is known";
  EXPECT_EQ(unwrapped(sent[0], kElsewhere, 5), to_far_);
  EXPECT_EQ(drops(bed_.report(), DropCause::kUnknownVm), 0u);
}

TEST_P(Overlay, LimitsCountTheFrameOfTheVm) {
  auto desired = two_tenants(kind());
  desired.generation = Generation{2};
  desired.intents = {{IntentId{1}, 0, wire::Demand::kSoftware,
                      wire::Police{kWeb, Direction::kIngress, {1'000}, {1'000}, {400}, {400}, 1}}};
  bed_.apply(desired);
  for (int i = 0; i < 3; ++i) bed_.put("uplink", 0, incoming(5, to_web_));
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), SizeIs(2));
  EXPECT_EQ(drops(bed_.report(), DropCause::kPoliced), 1u);
}

TEST_P(Overlay, WhatIsBehindTheInnerFrameGoes) {
  auto frame = incoming(5, to_web_);
  frame.resize(frame.size() + 6);
  bed_.put("uplink", 0, frame);
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), ElementsAre(to_web_));
}

TEST_P(Overlay, AFrameInPiecesIsWholeForItsVm) {
  const auto large = make_frame({.source = kFar, .destination = mac(1), .size = 1'400});
  for (const std::size_t piece : {43, 50, 64, 90, 300}) bed_.put("uplink", 0, incoming(5, large), piece);
  bed_.run();
  EXPECT_THAT(bed_.sent("web"), ElementsAre(large, large, large, large, large));
  EXPECT_EQ(sample_of(bed_.report(), kWeb).connections_opened, 1u);
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = kFar, .size = 1'400}), 60);
  bed_.run();
  const auto sent = bed_.sent("uplink");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_THAT(unwrapped(sent[0], kThere, 5), SizeIs(1'400));
  EXPECT_EQ(drops(bed_.report(), DropCause::kMalformed), 0u);
}

TEST_P(Overlay, AnotherSenderThanTheNamedEndsIsRefused) {
  EXPECT_EQ(dropped(incoming(5, to_web_, Ipv4Address{{192, 0, 2, 9}}), DropCause::kSpoof), 1u);
}

TEST_P(Overlay, WhatContradictsItselfInsideOrOutsideIsMalformed) {
  auto bad_header = incoming(5, to_web_);
  bad_header[42] = 0xc0;
  EXPECT_EQ(dropped(bad_header, DropCause::kMalformed), 1u);
  EXPECT_EQ(dropped(incoming(5, FrameBytes(9)), DropCause::kMalformed), 1u);
  auto cut = to_web_;
  cut.resize(40);
  EXPECT_EQ(dropped(incoming(5, cut), DropCause::kMalformed), 1u);
  EXPECT_EQ(dropped(incoming(5, make_frame({.source = kFar, .destination = mac(1), .vlan = 9})), DropCause::kMalformed),
            1u);
}

TEST_P(Overlay, ATunnelInsideIsTheVmsOwnBusiness) {
  const auto nested = incoming(5, make_overlay({kind(), kHere, kFar, mac(1), 4789}, kHere, 6, to_web_));
  bed_.put("uplink", 0, nested);
  bed_.run();
  EXPECT_THAT(bed_.sent("other"), IsEmpty());
  EXPECT_THAT(bed_.sent("web"), SizeIs(1));
}

TEST_P(Overlay, TheUnderlaysQuestionForTheTunnelsAddressIsAnswered) {
  FrameBytes arp(60);
  const FrameBytes head{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0,   0xf0, 8, 6, 0, 1, 8, 0,   6, 4, 0,
                        1,    0x52, 0x54, 0,    0,    0,    0xf0, 192,  0, 2, 254, 0,    0, 0, 0, 0, 0, 192, 0, 2, 1};
  std::copy(head.begin(), head.end(), arp.begin());
  bed_.put("uplink", 0, arp);
  bed_.run();
  const auto sent = bed_.sent("uplink");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0][21], 2);
  EXPECT_TRUE(std::equal(&sent[0][0], &sent[0][6], &head[6]));
  EXPECT_EQ(drops(bed_.report(), DropCause::kUnknownVm), 0u);
}

TEST(OverlayMtu, TheHeaderCountsAgainstTheUplinksMtu) {
  Testbed narrow(1, {{"web"}, {"other"}, {"uplink", config::PortRole::kUplink, 1'500}});
  narrow.apply(two_tenants(TunnelKind::kVxlan));
  const auto of_size = [](std::size_t size) {
    return make_frame({.source = mac(1), .destination = kFar, .size = size});
  };
  narrow.put("web", 0, of_size(1'465));
  narrow.put("web", 0, of_size(1'464));
  narrow.run();
  EXPECT_THAT(narrow.sent("uplink"), ElementsAre(SizeIs(1'514), SizeIs(1'514)));
  const auto report = narrow.report();
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].drops[wire::index(DropCause::kMtu)], 1u);
}

TEST(OverlayConfiguration, ContradictionsAreNamedAndTheTunnelIsLeftOut) {
  const auto problem_of = [](const wire::TunnelSpec& spec) {
    const auto tunnel = make_tunnel(spec, mac(1));
    return tunnel ? std::string() : tunnel.error().message;
  };
  const wire::TunnelSpec good{TunnelKind::kVxlan, kHere, mac(0xf0), 4789, {kThere}};
  EXPECT_EQ(problem_of(good), "");
  auto bad = good;
  bad.local = {};
  EXPECT_THAT(problem_of(bad), HasSubstr("local 0.0.0.0 is no address of a host"));
  bad = good;
  bad.next_hop = kBroadcast;
  EXPECT_THAT(problem_of(bad), HasSubstr("no unicast MAC"));
  bad = good;
  bad.remotes = {kThere, kThere};
  EXPECT_THAT(problem_of(bad), HasSubstr("named twice"));
  bad.remotes = {kHere};
  EXPECT_THAT(problem_of(bad), HasSubstr("this end"));
  bad.remotes = {Ipv4Address{{239, 0, 0, 1}}};
  EXPECT_THAT(problem_of(bad), HasSubstr("no address of a host"));
}

}  // namespace
}  // namespace foreflow::pipeline
