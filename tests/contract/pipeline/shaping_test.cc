// SPDX-License-Identifier: Apache-2.0
// Shaping on injected time: what is over the limit waits, in order and not for long.
#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr VmId kWeb{1};
constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint32_t kSize = 1'000;
constexpr std::uint8_t kEct = 2, kCe = 3;

std::uint16_t ip_sum(const FrameBytes& frame) {
  std::uint32_t sum = 0;
  for (std::size_t at = 14; at < 34; at += 2) sum += static_cast<std::uint32_t>(frame[at] << 8 | frame[at + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// Number `number`, from the VM or to it; can be marked.
FrameBytes numbered(std::uint32_t number, Direction direction) {
  const bool out = direction == Direction::kEgress;
  auto frame = make_frame({.source = out ? mac(1) : kGateway, .destination = out ? kGateway : mac(1), .size = kSize});
  std::memcpy(&frame[42], &number, sizeof(number));
  frame[15] = kEct;
  const auto checksum = static_cast<std::uint16_t>(~ip_sum(frame));
  frame[24] = static_cast<std::uint8_t>(checksum >> 8);
  frame[25] = static_cast<std::uint8_t>(checksum);
  return frame;
}

std::uint32_t number_of(const FrameBytes& frame) {
  std::uint32_t number = 0;
  std::memcpy(&number, &frame[42], sizeof(number));
  return number;
}

class Shaping : public testing::TestWithParam<std::tuple<std::uint16_t, Direction>> {
 protected:
  Shaping() : bed_(std::get<0>(GetParam()), {{"web"}, {"uplink", config::PortRole::kUplink}}) {
    bed_.apply(limited(true));
  }

  wire::DesiredState limited(bool shape) {
    wire::DesiredState desired;
    desired.generation = Generation{++generation_};
    desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}}};
    wire::Police police{kWeb, way_, {1'000'000}, {1'000'000}, {10 * kSize}, {10 * kSize}};
    police.shape = shape;
    desired.intents = {{IntentId{1}, 0, wire::Demand::kSoftware, police}};
    return desired;
  }

  // `count` frames on one queue now, then a poll.
  void send(std::uint32_t count) {
    for (; count > 0; --count) bed_.put(way_ == Direction::kEgress ? "web" : "uplink", 0, numbered(next_++, way_));
    run();
  }
  void run() {
    bed_.run_at(now_ns_);
    for (auto& frame : bed_.sent(way_ == Direction::kEgress ? "uplink" : "web")) out_.push_back(std::move(frame));
  }
  void wait(std::uint64_t ns) {
    for (const auto end = now_ns_ + ns; now_ns_ < end;) {
      now_ns_ += 100'000;
      run();
    }
  }
  wire::DirectionSample sample() { return sample_of(bed_.report(), kWeb).directions[index(way_)]; }

  Direction way_ = std::get<1>(GetParam());
  std::uint64_t generation_ = 0;
  std::uint64_t now_ns_ = 2 * Testbed::kSecond;
  std::uint32_t next_ = 0;
  std::vector<FrameBytes> out_;
  Testbed bed_;
};

TEST_P(Shaping, ABurstOverTheLimitLeavesAtTheRateInOrderAndWithoutLoss) {
  send(25);
  EXPECT_EQ(out_.size(), 10u);  // the bucket
  wait(10 * kMillisecond);
  EXPECT_EQ(out_.size(), 20u);
  wait(10 * kMillisecond);
  ASSERT_EQ(out_.size(), 25u);
  for (std::uint32_t i = 0; i < 25; ++i) EXPECT_EQ(number_of(out_[i]), i);
  const auto counted = sample();
  EXPECT_EQ(counted.offered_packets, 25u);
  EXPECT_EQ(counted.passed_packets, 25u);
  EXPECT_EQ(counted.delayed_packets, 15u);
  EXPECT_TRUE(counted.limited);
  EXPECT_EQ(bed_.in_use(), 0u);
}

TEST_P(Shaping, WhatWaitedForLongIsMarkedAndItsChecksumHolds) {
  send(25);
  wait(20 * kMillisecond);
  std::uint64_t marked = 0;
  for (const auto& frame : out_) {
    EXPECT_EQ(ip_sum(frame), 0xffff);
    marked += frame[15] == kCe ? 1 : 0;
  }
  EXPECT_EQ(sample().marked_packets, marked);
  EXPECT_EQ(marked, 11u);  // those that waited 5 ms and more
}

TEST_P(Shaping, NobodyWaitsLongerThan20Milliseconds) {
  send(60);
  wait(50 * kMillisecond);
  EXPECT_EQ(out_.size(), 30u);  // the bucket and 20 ms of the rate
  const auto counted = sample();
  EXPECT_EQ(counted.drops[wire::index(wire::DropCause::kPoliced)], 30u);
  EXPECT_EQ(bed_.in_use(), 0u);
}

TEST_P(Shaping, OverLongTimesTheRateIsKept) {
  for (int ms = 0; ms < 5'000; ++ms) {
    send(2);
    wait(kMillisecond);
  }
  EXPECT_NEAR(static_cast<double>(out_.size()) * kSize, 5'000'000, 50'000);
}

TEST_P(Shaping, SwitchedOffWhatWaitsStillLeavesInOrder) {
  send(20);
  bed_.apply(limited(false));
  for (auto& frame : bed_.sent(way_ == Direction::kEgress ? "uplink" : "web")) out_.push_back(std::move(frame));
  wait(15 * kMillisecond);
  ASSERT_EQ(out_.size(), 20u);
  for (std::uint32_t i = 0; i < 20; ++i) EXPECT_EQ(number_of(out_[i]), i);
  wait(15 * kMillisecond);
  send(20);
  EXPECT_EQ(sample().drops[wire::index(wire::DropCause::kPoliced)], 10u);  // policed now
}

TEST_P(Shaping, WhatWaitsForAVmThatGoesIsFreedAndCounted) {
  send(20);
  bed_.apply({.generation = Generation{99}});
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.rx_packets, report.dataplane.tx_packets + sum(report.dataplane.drops));
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kUnknownVm)], 10u);
  bed_.sent("uplink");
  bed_.sent("web");
  EXPECT_EQ(bed_.in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(WorkersAndDirections, Shaping,
                         testing::Combine(testing::Values(1, 3), testing::ValuesIn(kBothDirections)));

}  // namespace
}  // namespace foreflow::pipeline
