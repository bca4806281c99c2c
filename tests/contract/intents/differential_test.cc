// SPDX-License-Identifier: Apache-2.0
// The same intents and the same random packets, once through rte_flow on the emulated eSwitch and once through the
// pipeline alone, at the rates that the device achieved and on injected time: every packet has the same end and the
// same bytes, every counter the same value. The two sides share no code that matches, meters or marks.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/meter/two_rate.h"
#include "dataplane/offload/emulated/two_rate_bucket.h"
#include "tests/contract/intents/random_frames.h"
#include "tests/contract/intents/same_intents.h"

namespace foreflow::pipeline {
namespace {

namespace emulated = offload::emulated;
using testing::SizeIs;
using wire::Placement;

// Rates beside the device's grid, whose nearest value is a whole number of bytes; bursts that the device can hold.
wire::Police limit(VmId vm, Direction direction) {
  const std::uint64_t faster = vm.value % 2 == 0 ? 128 : 192;
  const std::uint64_t pir =
      direction == Direction::kEgress ? 1'000'000'000 * faster / 2'048 / 8 : 1'000'000'000ull * 128 / 4'096 / 8;
  return {.vm = vm,
          .direction = direction,
          .cir = BytesPerSecond{pir / 2 + 300},
          .pir = BytesPerSecond{pir - 500},
          .cbs = Bytes{16'384},
          .pbs = Bytes{24'576}};
}

// `queues`: of the uplink, which then stand in for limits: a VM's meter would be in the pipeline on both sides.
wire::DesiredState desired_state(bool queues = false) {
  wire::DesiredState desired{.generation = Generation{1}};
  if (queues) {
    auto& uplink = desired.uplinks.emplace_back(wire::UplinkSpec{.port = "uplink"});
    uplink.capacity[index(Direction::kEgress)] = BytesPerSecond{6'000'000};
    uplink.queueing.emplace().queues[1].weight = 3;
  }
  std::uint64_t id = 0;
  for (std::uint8_t n = 1; n <= kVms; ++n) {
    const VmId vm{n};
    desired.vms.push_back({vm, "vm", {{kPorts[n], mac(n), Segment{0}}}});
    for (const auto direction : kBothDirections) {
      if (!queues) desired.intents.push_back({IntentId{++id}, 0, wire::Demand::kRequireHardware, limit(vm, direction)});
      std::uint32_t priority = 10;
      for (auto& treatment : treatments(vm, direction, queues))
        desired.intents.push_back({IntentId{++id}, priority++, wire::Demand::kRequireHardware, std::move(treatment)});
    }
  }
  return desired;
}

// One side: the packets of a seed, what left through which port at each instant, and what was counted.
struct Outcome {
  std::vector<std::uint64_t> instants;
  wire::Report report;
};

class Side {
 public:
  Side(std::unique_ptr<offload::OffloadBackend> device, const wire::DesiredState& desired)
      : bed_(1, all_ports(), {}, std::move(device)), applied_(bed_.apply(desired)) {}

  const wire::Applied& applied() const { return applied_; }

  Outcome run(std::uint64_t packets) {
    Outcome outcome;
    now_ns = Testbed::kSecond;
    for (std::uint64_t count = 0; count < packets;) {
      now_ns += 1 + random_.below(200'000);
      const auto from = random_.below(kVms + 1);
      const auto frames = burst(from == 0 ? kWorld : static_cast<std::uint8_t>(from));
      for (const auto& frame : frames) bed_.put(kPorts[from], 0, frame);
      bed_.run_at(now_ns);
      outcome.instants.push_back(digest());
      count += frames.size();
    }
    for (int ms = 0; ms < 20; ++ms) bed_.run_at(now_ns += 1'000'000);  // whatever waits for the uplink
    outcome.instants.push_back(digest());
    outcome.report = bed_.report();
    EXPECT_EQ(bed_.in_use(), 0u);
    return outcome;
  }

 private:
  // From one sender, so that both sides see one order.
  std::vector<FrameBytes> burst(std::uint8_t from) {
    std::vector<FrameBytes> frames(1 + random_.below(16));
    for (auto& frame : frames) {
      auto to = static_cast<std::uint8_t>(1 + random_.below(kVms + 1));
      if (to == from || to > kVms) to = from == kWorld ? 1 : kWorld;
      frame = random_.frame(mac(from), mac(to));
    }
    return frames;
  }
  // Of all that left since the last call: every byte, the port and the group of its queues, in any order.
  std::uint64_t digest() {
    std::uint64_t sum = 0;
    for (std::size_t exit = 0; exit < kPorts.size() * (1 + kGroups); ++exit) {
      for (const auto& frame : bed_.sent(kPorts[exit / (1 + kGroups)], exit % (1 + kGroups))) {
        std::uint64_t hash = 14'695'981'039'346'656'037ull + exit;  // FNV-1a
        for (const auto byte : frame) hash = (hash ^ byte) * 1'099'511'628'211ull;
        sum += hash;
      }
    }
    return sum;
  }

  RandomFrames random_{20'261'125};
  Testbed bed_;
  wire::Applied applied_;
};

void expect_same_counts(const wire::DesiredState& desired, const wire::Report& device, const wire::Report& pipeline,
                        std::uint64_t packets) {
  ASSERT_THAT(device.intents, SizeIs(desired.intents.size()));
  ASSERT_THAT(pipeline.intents, SizeIs(desired.intents.size()));
  std::map<std::string, std::uint64_t> hits;
  for (std::size_t i = 0; i < desired.intents.size(); ++i) {
    const auto& counted = device.intents[i];
    EXPECT_EQ(counted, pipeline.intents[i]) << "intent " << counted.id.value << ", " << kind_of(desired.intents[i]);
    hits[kind_of(desired.intents[i])] += counted.passed_packets + counted.dropped_packets;
    EXPECT_GE(counted.passed_packets + counted.dropped_packets, packets / 1'000) << "intent " << counted.id.value;
    if (std::holds_alternative<wire::Police>(desired.intents[i].what)) {
      EXPECT_GT(counted.passed_packets, packets / 100);
      EXPECT_GT(counted.dropped_packets, packets / 1'000);
    }
  }
  for (const auto& [kind, count] : hits) EXPECT_GE(count, packets / 100) << kind;
}

class Differential : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WithQueues, Differential, testing::Bool());

TEST_P(Differential, DeviceAndPipelineGiveEveryPacketTheSameEnd) {
  const FreshDevice fresh;
  const auto desired = desired_state(GetParam());
  const auto packets = packet_count();
  wire::Applied applied;
  const auto device = [&] {
    Side side(std::make_unique<offload::RteFlowBackend>(), desired);
    applied = side.applied();
    return side.run(packets);
  }();
  for (const auto& result : applied.results) ASSERT_EQ(result.placement, Placement::kHardware) << result.reason;
  const auto pipeline = Side(nullptr, for_software(desired, applied)).run(packets);

  ASSERT_EQ(device.instants.size(), pipeline.instants.size());
  const auto apart = std::ranges::mismatch(device.instants, pipeline.instants).in1 - device.instants.begin();
  EXPECT_EQ(apart, std::ssize(device.instants)) << "the first instant at which other packets left, or other bytes";
  expect_same_counts(desired, device.report, pipeline.report, packets);
  if (GetParam()) {
    EXPECT_GT(pipeline.report.dataplane.drops[wire::index(wire::DropCause::kQueueFull)], packets / 100);
    EXPECT_GT(pipeline.report.ports[0].tx_packets, packets / 100);
  }
  // What a receiver's meter drops in the device, the sender's pipeline never saw: only what reaches a VM is compared.
  for (std::uint8_t n = 1; n <= kVms; ++n) {
    const auto& left = sample_of(device.report, VmId{n}).directions;
    const auto& right = sample_of(pipeline.report, VmId{n}).directions;
    for (const auto direction : kBothDirections) EXPECT_EQ(left[index(direction)].drops, right[index(direction)].drops);
    EXPECT_EQ(left[index(Direction::kIngress)].offered_packets, right[index(Direction::kIngress)].offered_packets);
    EXPECT_EQ(left[index(Direction::kIngress)].offered_bytes, right[index(Direction::kIngress)].offered_bytes);
    EXPECT_EQ(left[index(Direction::kIngress)].passed_bytes, right[index(Direction::kIngress)].passed_bytes);
  }
}

// Packet by packet, the device's arithmetic against the pipeline's.
TEST(Colours, OfTheDeviceAreThoseOfThePipeline) {
  constexpr int kMeters = 20;
  constexpr int kPackets = 50'000;
  RandomFrames random(7);
  for (int i = 0; i < kMeters; ++i) {
    const std::uint64_t pir = 1'000'000'000ull * (random.below(2) == 0 ? 128 : 192) / 2'048;  // bits per second
    const std::uint64_t cir = pir / 2;
    emulated::TwoRateBucket device({.cir = cir, .pir = pir, .cbs = 16'384, .pbs = 24'576});
    meter::TwoRateMeter pipeline;
    std::uint64_t now = 0;
    pipeline.configure({BytesPerSecond{cir / 8}, BytesPerSecond{pir / 8}, Bytes{16'384}, Bytes{24'576}}, now);
    std::array<int, 3> seen{};
    for (int packet = 0; packet < kPackets; ++packet) {
      now += random.below(120'000);
      const auto size = 64 + random.below(1'450);
      const auto by_device = device.colour(size, now);
      pipeline.refill(now);
      const auto by_pipeline = pipeline.colour(Bytes{size});
      if (by_pipeline != meter::Colour::kRed) pipeline.pay(Bytes{size}, by_pipeline);
      ASSERT_EQ(static_cast<int>(by_device), static_cast<int>(by_pipeline)) << "meter " << i << ", packet " << packet;
      ++seen[static_cast<std::size_t>(by_device)];
    }
    for (const auto count : seen) EXPECT_GT(count, kPackets / 100);
  }
}

}  // namespace
}  // namespace foreflow::pipeline
