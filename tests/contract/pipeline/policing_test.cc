// SPDX-License-Identifier: Apache-2.0
// Limits on injected time; with one worker and with three.
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr VmId kWeb{1};
constexpr VmId kDatabase{2};
constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint32_t kSize = 1000;

wire::Intent police(std::uint64_t id, VmId vm, Direction direction, std::uint64_t cir, std::uint64_t pir,
                    std::uint64_t burst = 10 * kSize) {
  return {IntentId{id}, 0, wire::Demand::kSoftware,
          wire::Police{vm, direction, BytesPerSecond{cir}, BytesPerSecond{pir}, Bytes{burst}, Bytes{burst}, 1}};
}

wire::DesiredState two_vms() {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}},
                 {kDatabase, "database", {{"database", mac(2), Segment{0}}}}};
  return desired;
}

class Policing : public testing::TestWithParam<std::uint16_t> {
 protected:
  Policing() : bed_(GetParam(), {{"web"}, {"database"}, {"uplink", config::PortRole::kUplink}}) {}

  // `per_ms` frames each millisecond of one second, over the queues in turn.
  void send_for_a_second(const std::string& port, const FrameBytes& frame, unsigned per_ms) {
    for (unsigned ms = 0; ms < 1000; ++ms) {
      now_ns_ += kMillisecond;
      for (unsigned i = 0; i < per_ms; ++i) bed_.put(port, static_cast<std::uint16_t>(ms + i), frame);
      bed_.run_at(now_ns_);
      for (const auto* out : {"uplink", "web", "database"}) bed_.sent(out);
    }
  }
  FrameBytes to_gateway() const { return make_frame({.source = mac(1), .destination = kGateway, .size = kSize}); }

  Testbed bed_;
  std::uint64_t now_ns_ = Testbed::kSecond;
};

TEST_P(Policing, AVmOverItsCapGetsItsCap) {
  auto desired = two_vms();
  desired.intents = {police(1, kWeb, Direction::kEgress, 1'000'000, 1'000'000)};
  const auto applied = bed_.apply(desired);
  ASSERT_EQ(applied.results.size(), 1u);
  EXPECT_EQ(applied.results[0].placement, wire::Placement::kSoftware);

  send_for_a_second("web", to_gateway(), 4);  // 4 MB/s offered
  const auto report = bed_.report();
  const auto& egress = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  EXPECT_EQ(egress.offered_bytes, 4'000'000u);
  EXPECT_NEAR(static_cast<double>(egress.passed_bytes), 1'000'000, 11 * kSize);
  EXPECT_EQ(egress.drops[wire::index(wire::DropCause::kPoliced)], egress.offered_packets - egress.passed_packets);
  EXPECT_TRUE(egress.limited);
  EXPECT_EQ(*egress.peak_10ms_bytes, 40'000u);
}

TEST_P(Policing, AVmBelowItsLimitIsNotLimited) {
  auto desired = two_vms();
  desired.intents = {police(1, kWeb, Direction::kEgress, 2'000'000, 2'000'000)};
  bed_.apply(desired);
  send_for_a_second("web", to_gateway(), 1);
  const auto report = bed_.report();
  const auto& egress = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  EXPECT_EQ(egress.passed_bytes, egress.offered_bytes);
  EXPECT_FALSE(egress.limited);
}

TEST_P(Policing, UnusedCapacityOfTheUplinkIsLent) {
  auto desired = two_vms();
  desired.uplinks = {{"uplink", {BytesPerSecond{3'000'000}, kUnlimited}}};
  desired.intents = {police(1, kWeb, Direction::kEgress, 1'000'000, 8'000'000)};
  bed_.apply(desired);
  send_for_a_second("web", to_gateway(), 5);
  const auto report = bed_.report();
  EXPECT_NEAR(static_cast<double>(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_bytes),
              3'000'000, 60'000);
}

TEST_P(Policing, TrafficBetweenVmsIsChargedToSenderAndReceiverAndNotToTheUplink) {
  auto desired = two_vms();
  desired.uplinks = {{"uplink", {BytesPerSecond{1}, BytesPerSecond{1}}}};  // nothing to lend
  desired.intents = {police(1, kWeb, Direction::kEgress, 1'000, 3'000'000),
                     police(2, kDatabase, Direction::kIngress, 1'000, 2'000'000)};
  bed_.apply(desired);
  send_for_a_second("web", make_frame({.source = mac(1), .destination = mac(2), .size = kSize}), 4);
  const auto report = bed_.report();
  const auto& sender = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  const auto& receiver = sample_of(report, kDatabase).directions[index(Direction::kIngress)];
  EXPECT_NEAR(static_cast<double>(sender.passed_bytes), 3'000'000, 11 * kSize);
  EXPECT_EQ(receiver.offered_bytes, sender.passed_bytes);
  EXPECT_NEAR(static_cast<double>(receiver.passed_bytes), 2'000'000, 11 * kSize);
}

TEST_P(Policing, ANewGenerationNeitherRefillsNorResets) {
  auto desired = two_vms();
  desired.intents = {police(1, kWeb, Direction::kEgress, 1'000, 1'000, 2 * kSize)};
  bed_.apply(desired);
  bed_.report();
  for (int i = 0; i < 2; ++i) bed_.put("web", 0, to_gateway());  // the whole burst
  bed_.run_at(now_ns_);
  for (std::uint64_t generation = 2; generation < 10; ++generation) {
    desired.generation = Generation{generation};
    std::get<wire::Police>(desired.intents[0].what).pir = BytesPerSecond{1'000 + generation};
    bed_.apply(desired);
  }
  bed_.put("web", 0, to_gateway());
  bed_.run_at(now_ns_ + kMillisecond);
  const auto report = bed_.report();
  const auto& egress = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  EXPECT_EQ(egress.offered_packets, 3u);
  EXPECT_EQ(egress.passed_packets, 2u);
  ASSERT_EQ(report.intents.size(), 1u);
  EXPECT_EQ(report.intents[0].passed_packets, 2u);
  EXPECT_EQ(report.intents[0].dropped_bytes, kSize);
}

TEST_P(Policing, EachCopyOfABroadcastIsMeteredForItsReceiverAndOnceForItsSender) {
  auto desired = two_vms();
  desired.intents = {police(1, kDatabase, Direction::kIngress, 0, 0, 100)};
  bed_.apply(desired);
  bed_.put("web", 0, make_frame({.source = mac(1), .destination = kBroadcast, .size = 200}));
  bed_.run();
  EXPECT_EQ(bed_.sent("uplink").size(), 1u);
  EXPECT_TRUE(bed_.sent("database").empty());
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_packets, 1u);
  EXPECT_TRUE(sample_of(report, kDatabase).directions[index(Direction::kIngress)].limited);
}

TEST_P(Policing, PacketsPerSecondAreACapOfTheirOwn) {
  auto desired = two_vms();
  auto intent = police(1, kWeb, Direction::kEgress, 8'000'000, 8'000'000);
  std::get<wire::Police>(intent.what).packets_per_second = 1'500;
  std::get<wire::Police>(intent.what).packet_burst = 32;
  desired.intents = {intent};
  bed_.apply(desired);
  send_for_a_second("web", to_gateway(), 4);
  const auto report = bed_.report();
  EXPECT_NEAR(static_cast<double>(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_packets), 1'500,
              33);
}

TEST_P(Policing, TheVmsOfAGroupShareItsCapAndKeepTheirGuarantees) {
  auto desired = two_vms();
  desired.groups = {{"tenant", {BytesPerSecond{3'000'000}, kUnlimited}, {Bytes{10 * kSize}, Bytes{10 * kSize}}}};
  for (auto& vm : desired.vms) vm.group = "tenant";
  desired.intents = {police(1, kWeb, Direction::kEgress, 2'000'000, 8'000'000),
                     police(2, kDatabase, Direction::kEgress, 0, 8'000'000)};
  bed_.apply(desired);
  EXPECT_TRUE(bed_.problems().empty());
  for (unsigned ms = 0; ms < 1000; ++ms) {
    now_ns_ += kMillisecond;
    for (unsigned i = 0; i < 4; ++i) {
      bed_.put("database", static_cast<std::uint16_t>(ms + i),
               make_frame({.source = mac(2), .destination = kGateway, .size = kSize}));
      if (i % 2 == 0) bed_.put("web", static_cast<std::uint16_t>(ms + i), to_gateway());  // just its guarantee
    }
    bed_.run_at(now_ns_);
    bed_.sent("uplink");
  }
  const auto report = bed_.report();
  const auto& web = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  const auto& database = sample_of(report, kDatabase).directions[index(Direction::kEgress)];
  EXPECT_EQ(web.passed_packets, web.offered_packets);
  EXPECT_NEAR(static_cast<double>(web.passed_bytes + database.passed_bytes), 3'000'000, 30 * kSize);
}

TEST_P(Policing, AVmOfAnUnknownGroupIsAProblemThatIsTold) {
  auto desired = two_vms();
  desired.vms[0].group = "nobody";
  bed_.apply(desired);
  ASSERT_EQ(bed_.problems().size(), 1u);
  EXPECT_NE(bed_.problems()[0].text.find("no group 'nobody'"), std::string::npos);
}

TEST_P(Policing, WhatTheUplinkLendsIsSharedByWeight) {
  auto desired = two_vms();
  desired.uplinks = {{"uplink", {BytesPerSecond{4'000'000}, kUnlimited}, std::nullopt}};
  desired.intents = {police(1, kWeb, Direction::kEgress, 0, 8'000'000),
                     police(2, kDatabase, Direction::kEgress, 0, 8'000'000)};
  std::get<wire::Police>(desired.intents[0].what).weight = 3;
  bed_.apply(desired);
  for (unsigned ms = 0; ms < 1000; ++ms) {
    now_ns_ += kMillisecond;
    for (unsigned i = 0; i < 4; ++i) {
      bed_.put("web", static_cast<std::uint16_t>(ms + i), to_gateway());
      bed_.put("database", static_cast<std::uint16_t>(ms + i),
               make_frame({.source = mac(2), .destination = kGateway, .size = kSize}));
    }
    bed_.run_at(now_ns_);
    bed_.sent("uplink");
  }
  const auto report = bed_.report();
  EXPECT_NEAR(static_cast<double>(sample_of(report, kWeb).directions[index(Direction::kEgress)].passed_bytes),
              3'000'000, 150'000);
  EXPECT_NEAR(static_cast<double>(sample_of(report, kDatabase).directions[index(Direction::kEgress)].passed_bytes),
              1'000'000, 150'000);
}

INSTANTIATE_TEST_SUITE_P(Workers, Policing, testing::Values(1, 3));

}  // namespace
}  // namespace foreflow::pipeline
