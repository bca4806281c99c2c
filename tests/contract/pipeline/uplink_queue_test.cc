// SPDX-License-Identifier: Apache-2.0
// What waits for a saturated uplink, by class, on injected time; with one worker and with three.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using wire::DropCause;
using wire::Placement;

constexpr VmId kWeb{1};
constexpr VmId kDatabase{2};
constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kStep = 200'000;
constexpr std::uint32_t kSize = 1'000;
constexpr std::uint16_t kVideo = 5'004, kPostgres = 5'432, kBulk = 9'000;  // ports of the other end
constexpr BytesPerSecond kCapacity{10'000'000};

// Video is served first; databases have three quarters of what it leaves, everything else the last quarter.
wire::Queueing queueing() {
  wire::Queueing queueing;
  queueing.queues[0].strict = true;
  queueing.queues[1].weight = 3;
  return queueing;
}

wire::Intent class_of(std::uint64_t id, VmId vm, std::uint16_t remote_port, std::uint8_t queue) {
  return {IntentId{id}, 0, wire::Demand::kPreferHardware,
          wire::Treatment{.vm = vm, .match = {.ip_protocol = 17, .remote_port = remote_port}, .queue = queue}};
}

wire::DesiredState two_vms(bool queues = true) {
  wire::DesiredState desired{.generation = Generation{1}};
  desired.uplinks = {{.port = "uplink", .capacity = {kCapacity, kUnlimited}}};
  if (queues) desired.uplinks[0].queueing = queueing();
  desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}},
                 {kDatabase, "database", {{"database", mac(2), Segment{0}}}}};
  return desired;
}

class UplinkQueues : public testing::TestWithParam<std::uint16_t> {
 protected:
  UplinkQueues() : bed_(GetParam(), {{"web"}, {"database"}, {"uplink", config::PortRole::kUplink}}) {}

  struct Source {
    const char* port;
    std::uint8_t vm;
    std::uint16_t remote_port;
    std::uint64_t rate;  // bytes per second
    std::uint64_t owed = 0;
    std::uint64_t offered = 0;  // packets
    std::uint64_t passed = 0;
    std::uint64_t longest_ns = 0;
    std::vector<std::uint64_t> sent_at = {};
  };

  static FrameBytes frame(std::uint8_t vm, std::uint16_t remote_port) {
    return make_frame({.source = mac(vm), .destination = kGateway, .destination_port = remote_port, .size = kSize});
  }
  void run(std::vector<Source>& sources, std::uint64_t duration_ns) {
    for (const auto end = now_ns_ + duration_ns; now_ns_ < end;) {
      now_ns_ += kStep;
      for (auto& source : sources)
        for (source.owed += source.rate * kStep / kNanosPerSecond; source.owed >= kSize; source.owed -= kSize) {
          bed_.put(source.port, static_cast<std::uint16_t>(source.offered), frame(source.vm, source.remote_port));
          source.sent_at.push_back(now_ns_);
          ++source.offered;
        }
      bed_.run_at(now_ns_);
      take(sources);
    }
  }
  // What waits leaves as time passes; a worker that was away for longer than a millisecond does not make up for it.
  void wait(std::uint64_t duration_ns) {
    for (const auto end = now_ns_ + duration_ns; now_ns_ < end;) bed_.run_at(now_ns_ += kMillisecond);
  }
  // Nothing of a queue overtakes within it, and a source has its own.
  void take(std::vector<Source>& sources) {
    for (const auto& sent : bed_.sent("uplink"))
      for (auto& source : sources) {
        const auto port = static_cast<std::uint16_t>(sent[36] << 8 | sent[37]);
        if (port != source.remote_port || sent[11] != source.vm) continue;
        source.longest_ns = std::max(source.longest_ns, now_ns_ - source.sent_at[source.passed]);
        ++source.passed;
      }
  }
  void expect_balance() {
    const auto report = bed_.report();
    EXPECT_EQ(report.dataplane.rx_packets + report.dataplane.flood_copies,
              report.dataplane.tx_packets + sum(report.dataplane.drops));
    EXPECT_EQ(bed_.in_use(), 0u);
  }
  std::uint64_t queue_full(const wire::Report& report, VmId vm) {
    return sample_of(report, vm).directions[index(Direction::kEgress)].drops[wire::index(DropCause::kQueueFull)];
  }

  Testbed bed_;
  std::uint64_t now_ns_ = Testbed::kSecond;
};
INSTANTIATE_TEST_SUITE_P(Workers, UplinkQueues, testing::Values(1, 3));

TEST_P(UplinkQueues, VideoAndDatabasesKeepRateAndDelayBesideAFlood) {
  auto desired = two_vms();
  desired.intents = {class_of(1, kWeb, kVideo, 0), class_of(2, kDatabase, kPostgres, 1)};
  for (const auto& result : bed_.apply(desired).results) EXPECT_EQ(result.placement, Placement::kSoftware);
  std::vector<Source> sources{
      {"web", 1, kVideo, 2'000'000}, {"database", 2, kPostgres, 5'000'000}, {"web", 1, kBulk, 30'000'000}};
  run(sources, kNanosPerSecond);
  for (const auto at : {0u, 1u}) {
    EXPECT_GE(sources[at].passed + 2, sources[at].offered) << "nothing of what is protected is lost";
    EXPECT_LE(sources[at].longest_ns, kMillisecond) << "and it waits for no more than a few packets";
  }
  EXPECT_NEAR(static_cast<double>(sources[2].passed * kSize), 3'000'000, 150'000) << "the flood gets what is left";
  const auto report = bed_.report();
  EXPECT_GT(queue_full(report, kWeb), 25'000u);
  EXPECT_EQ(queue_full(report, kDatabase), 0u);
  EXPECT_TRUE(sample_of(report, kWeb).directions[0].limited);
  sources[0].rate = sources[1].rate = sources[2].rate = 0;
  run(sources, 20 * kMillisecond);
  EXPECT_EQ(sources[0].passed + sources[1].passed, sources[0].offered + sources[1].offered);
  EXPECT_EQ(bed_.in_use(), 0u);
}

TEST_P(UplinkQueues, WithoutQueuesTheSameFloodTakesFromBoth) {
  std::vector<Source> sources{{"web", 1, kBulk, 30'000'000}, {"web", 1, kVideo, 2'000'000}};
  auto unlimited = two_vms(false);
  unlimited.intents = {
      {IntentId{1}, 0, wire::Demand::kSoftware,
       wire::Police{kWeb, Direction::kEgress, BytesPerSecond{0}, kCapacity, Bytes{20 * kSize}, Bytes{20 * kSize}, 1}}};
  bed_.apply(unlimited);
  run(sources, kNanosPerSecond);
  EXPECT_LT(sources[1].passed, sources[1].offered / 2) << "what the queues are for";
}

TEST_P(UplinkQueues, WhatIsGuaranteedFindsRoomBesideANeighboursFloodInTheSameQueue) {
  auto desired = two_vms();
  desired.intents = {{IntentId{1}, 0, wire::Demand::kSoftware,
                      wire::Police{kDatabase, Direction::kEgress, BytesPerSecond{4'000'000}, BytesPerSecond{20'000'000},
                                   Bytes{20 * kSize}, Bytes{20 * kSize}, 1}}};
  bed_.apply(desired);
  std::vector<Source> sources{{"database", 2, kBulk, 4'000'000}, {"web", 1, kBulk, 50'000'000}};
  run(sources, kNanosPerSecond);
  EXPECT_GE(static_cast<double>(sources[0].passed), .97 * static_cast<double>(sources[0].offered));
  EXPECT_EQ(queue_full(bed_.report(), kDatabase), 0u);
}

TEST_P(UplinkQueues, WhatAFullPortDoesNotTakeWaitsOn) {
  auto desired = two_vms();
  desired.uplinks[0].capacity[0] = BytesPerSecond{10'000'000'000};
  bed_.apply(desired);
  constexpr std::uint64_t kMore = 5'000;  // than the port's ring has room for
  for (std::uint64_t i = 0; i < kMore; ++i) {
    bed_.put("web", 0, frame(1, kBulk));
    if (i % 100 == 0) bed_.run_at(now_ns_ += kMillisecond);
  }
  bed_.run_at(now_ns_ += kMillisecond);
  const auto first = bed_.sent("uplink").size();
  EXPECT_LT(first, kMore);
  bed_.run_at(now_ns_ += kMillisecond);
  EXPECT_EQ(first + bed_.sent("uplink").size(), kMore);
  expect_balance();
}

TEST_P(UplinkQueues, WhatWaitsWhenTheWorkersHaveStoppedIsCounted) {
  bed_.apply(two_vms());
  for (int i = 0; i < 50; ++i) bed_.put("web", 0, frame(1, kBulk));
  bed_.run_at(now_ns_);
  const auto sent = bed_.sent("uplink").size();
  EXPECT_LT(sent, 50u);
  bed_.engine().stop();
  const auto report = bed_.report();
  EXPECT_EQ(queue_full(report, kWeb), 50 - sent);
  EXPECT_EQ(sample_of(report, kWeb).directions[0].passed_packets, sent);
  EXPECT_EQ(bed_.in_use(), 0u);
}

TEST_P(UplinkQueues, AWorkerThatHoldsPacketsDoesNotSleep) {
  bed_.apply(two_vms());
  for (int i = 0; i < 50; ++i) bed_.put("web", 0, frame(1, kBulk));
  bed_.run_at(now_ns_);
  EXPECT_TRUE(bed_.engine().workers()[0]->holds());
  EXPECT_LE(bed_.engine().workers()[0]->next_due(), now_ns_ + kMillisecond);
  wait(10 * kMillisecond);
  EXPECT_FALSE(bed_.engine().workers()[0]->holds());
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(50));
  expect_balance();
}

TEST_P(UplinkQueues, WhatWaitsForAnUplinkThatLeavesGoesAndThePortCloses) {
  bed_.apply(two_vms());
  for (int i = 0; i < 50; ++i) bed_.put("web", 0, frame(1, kBulk));
  bed_.run_at(now_ns_);
  const auto sent = bed_.sent("uplink").size();
  auto wanted = bed_.devices().configs();
  std::erase_if(wanted, [](const auto& port) { return port.name == "uplink"; });
  bed_.changes().begin(wanted);
  while (bed_.changes().busy() || bed_.configurator().busy()) {
    bed_.run();
    bed_.configurator().finish();
    if (!bed_.configurator().busy() && bed_.changes().busy()) bed_.changes().step();
  }
  EXPECT_EQ(bed_.in_use(), 0u);
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.drops[wire::index(DropCause::kQueueFull)], 50 - sent);
  const auto& sample = sample_of(report, kWeb).directions[index(Direction::kEgress)];
  EXPECT_EQ(queue_full(report, kWeb), 50 - sent) << "its VM is told, too";
  EXPECT_EQ(sample.offered_packets, 50u);
  EXPECT_EQ(sample.passed_packets, sent);
  EXPECT_EQ(sample.passed_bytes, sent * kSize);
  EXPECT_EQ(std::accumulate(sample.app_bytes.begin(), sample.app_bytes.end(), std::uint64_t{0}), sent * kSize);
}

TEST_P(UplinkQueues, WhatWaitsStillLeavesWhenTheQueuesGo) {
  bed_.apply(two_vms());
  for (int i = 0; i < 50; ++i) bed_.put("web", 0, frame(1, kBulk));
  bed_.run_at(now_ns_);
  bed_.apply(two_vms(false));
  wait(20 * kMillisecond);
  EXPECT_THAT(bed_.sent("uplink"), SizeIs(50));
  expect_balance();
}

TEST_P(UplinkQueues, AClassIsRefusedWhereNothingCanWait) {
  auto desired = two_vms(false);
  desired.intents = {class_of(1, kWeb, kVideo, 0)};
  auto result = bed_.apply(desired).results[0];
  EXPECT_EQ(result.placement, Placement::kRefused);
  EXPECT_THAT(result.reason, HasSubstr("no uplink of this dataplane has queues"));
  desired = two_vms();
  desired.uplinks[0].capacity[0] = kUnlimited;
  bed_.apply(desired);
  ASSERT_THAT(bed_.problems(), SizeIs(1));
  EXPECT_THAT(bed_.problems()[0].text, HasSubstr("without an egress capacity"));
  desired = two_vms();
  auto inwards = class_of(1, kWeb, kVideo, 0);
  std::get<wire::Treatment>(inwards.what).direction = Direction::kIngress;
  desired.intents = {inwards};
  result = bed_.apply(desired).results[0];
  EXPECT_THAT(result.reason, HasSubstr("direction egress would be right"));
}

TEST_P(UplinkQueues, EachQueueTellsWhatPassedWhatDidNotAndHowLongItWaited) {
  auto desired = two_vms();
  desired.intents = {class_of(1, kWeb, kVideo, 0)};
  bed_.apply(desired);
  std::vector<Source> sources{{"web", 1, kVideo, 2'000'000}, {"web", 1, kBulk, 30'000'000}};
  run(sources, kNanosPerSecond);
  sources[0].rate = sources[1].rate = 0;
  run(sources, 20 * kMillisecond);
  const auto report = bed_.report();
  const auto& queues = report.ports.at(2).queues;
  ASSERT_THAT(queues, SizeIs(2)) << "nothing is said of those that nobody used";
  const auto& video = queues[0];
  const auto& rest = queues[1];
  EXPECT_EQ(video.queue, 0);
  EXPECT_EQ(rest.queue, wire::kLastQueue);
  EXPECT_EQ(video.passed_packets, sources[0].offered);
  EXPECT_EQ(video.passed_bytes, sources[0].offered * kSize);
  EXPECT_EQ(video.dropped_packets, 0u);
  EXPECT_LE(video.longest_ns, kMillisecond);
  EXPECT_EQ(rest.passed_packets, sources[1].passed);
  EXPECT_EQ(rest.dropped_packets, queue_full(report, kWeb));
  EXPECT_EQ(rest.dropped_bytes, rest.dropped_packets * kSize);
  EXPECT_GT(rest.longest_ns, video.longest_ns);
  EXPECT_GE(rest.longest_ns * rest.passed_packets, rest.waited_ns);
  EXPECT_EQ(rest.waiting_packets, 0u);
  EXPECT_THAT(bed_.report().ports.at(2).queues, testing::IsEmpty());
}

TEST_P(UplinkQueues, BetweenVmsNothingWaits) {
  bed_.apply(two_vms());
  for (int i = 0; i < 50; ++i) bed_.put("web", 0, make_frame({.source = mac(1), .destination = mac(2), .size = kSize}));
  bed_.run_at(now_ns_);
  EXPECT_THAT(bed_.sent("database"), SizeIs(50));
  expect_balance();
}

}  // namespace
}  // namespace foreflow::pipeline
