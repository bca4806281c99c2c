// SPDX-License-Identifier: Apache-2.0
// More is offered than the uplink can carry: the same intents and the same random packets, once through rte_flow on the
// emulated eSwitch, where peaks are re-rated, and once through the pipeline, which lends packet by packet. In each 100
// ms each VM gets the same share of both directions of the uplink.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/intents/random_frames.h"
#include "tests/contract/intents/same_intents.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint64_t kWindowNs = 100'000'000;
constexpr std::uint64_t kWindowsPerPhase = 5;  // then another VM is silent, and leaves all of its guarantee
constexpr std::uint64_t kMeanGapNs = 8'000;
constexpr std::uint64_t kFewestPackets = 400'000;  // a phase for each VM
constexpr BytesPerSecond kCapacity{20'000'000};

wire::Police limit(VmId vm, Direction direction) {
  return {.vm = vm,
          .direction = direction,
          .cir = BytesPerSecond{2'000'000},
          .pir = kCapacity,
          .cbs = Bytes{16'384},
          .pbs = Bytes{16'384},
          .weight = vm.value};
}

wire::DesiredState desired_state() {
  wire::DesiredState desired{.generation = Generation{1}};
  desired.uplinks = {{"uplink", {kCapacity, kCapacity}, std::nullopt}};
  std::uint64_t id = 0;
  for (std::uint8_t n = 1; n <= kVms; ++n) {
    const VmId vm{n};
    desired.vms.push_back({vm, "vm", {{kPorts[n], mac(n), Segment{0}}}});
    for (const auto direction : kBothDirections) {
      desired.intents.push_back({IntentId{++id}, 0, wire::Demand::kRequireHardware, limit(vm, direction)});
      std::uint32_t priority = 10;
      for (auto& treatment : treatments(vm, direction)) {
        treatment.steer_port.clear();  // what leaves by another port does not contend for the uplink
        desired.intents.push_back({IntentId{++id}, priority++, wire::Demand::kRequireHardware, std::move(treatment)});
      }
    }
  }
  return desired;
}

// Bytes that came through, by VM and direction.
using Window = std::array<std::array<std::uint64_t, kDirections>, kVms + 1>;

struct Outcome {
  std::vector<Window> windows;
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
      now_ns += 1 + random_.below(2 * kMeanGapNs);
      const auto window = (now_ns - Testbed::kSecond) / kWindowNs;
      outcome.windows.resize(window + 1);
      count += send(window / kWindowsPerPhase);
      bed_.run_at(now_ns);
      bed_.lend();
      collect(outcome.windows.back());
    }
    outcome.windows.pop_back();  // not whole
    outcome.report = bed_.report();
    return outcome;
  }

 private:
  // All VMs and what is sent to them in turn, by chance, but for one of them. Returns how many frames that were.
  std::size_t send(std::uint64_t phase) {
    const auto vm = static_cast<std::uint8_t>(1 + random_.below(kVms));
    const bool up = random_.below(2) == 0;
    const auto frames = 1 + random_.below(3);
    const bool skip = vm == 1 + phase % kVms;
    for (std::uint32_t i = 0; i < frames; ++i) {
      const auto frame = up ? random_.frame(mac(vm), mac(kWorld)) : random_.frame(mac(kWorld), mac(vm));
      if (!skip) bed_.put(kPorts[up ? vm : 0], 0, frame);
    }
    return skip ? 0 : frames;
  }

  void collect(Window& window) {
    for (const auto& frame : bed_.sent("uplink")) window.at(frame[11])[index(Direction::kEgress)] += frame.size();
    for (std::uint8_t n = 1; n <= kVms; ++n)
      for (const auto& frame : bed_.sent(kPorts[n])) window.at(n)[index(Direction::kIngress)] += frame.size();
    bed_.sent("probe");
  }

  RandomFrames random_{20'261'126};
  Testbed bed_;
  wire::Applied applied_;
};

// How far apart the two sides are in the worst window of those in which demand had not just changed.
double worst(const Outcome& device, const Outcome& pipeline) {
  double worst = 0;
  for (std::size_t at = 0; at < device.windows.size(); ++at) {
    if (at % kWindowsPerPhase == 0) continue;
    for (std::uint8_t n = 1; n <= kVms; ++n) {
      for (const auto direction : kBothDirections) {
        const auto left = static_cast<double>(device.windows[at].at(n)[index(direction)]);
        const auto right = static_cast<double>(pipeline.windows[at].at(n)[index(direction)]);
        worst = std::max(worst, std::abs(left - right) / std::max(right, 1.));
      }
    }
  }
  return worst;
}

void expect_used(const wire::DesiredState& desired, const wire::Report& report, std::uint64_t packets) {
  std::map<std::string, std::uint64_t> hits;
  for (std::size_t i = 0; i < desired.intents.size(); ++i) {
    const auto& counted = report.intents.at(i);
    hits[kind_of(desired.intents[i])] += counted.passed_packets + counted.dropped_packets;
    if (!std::holds_alternative<wire::Police>(desired.intents[i].what)) continue;
    EXPECT_GT(counted.passed_packets, packets / 100);
    EXPECT_GT(counted.dropped_packets, packets / 1'000) << "intent " << counted.id.value;
  }
  for (const auto& [kind, count] : hits) EXPECT_GE(count, packets / 100) << kind;
}

TEST(Contended, EachVmGetsTheSameShareFromDeviceAndPipelineInEach100Ms) {
  const FreshDevice fresh;
  const auto desired = desired_state();
  const auto packets = std::max(packet_count(), kFewestPackets);
  wire::Applied applied;
  const auto device = [&] {
    Side side(std::make_unique<offload::RteFlowBackend>(), desired);
    applied = side.applied();
    return side.run(packets);
  }();
  for (const auto& result : applied.results) ASSERT_EQ(result.placement, wire::Placement::kHardware) << result.reason;
  const auto pipeline = Side(nullptr, for_software(desired, applied)).run(packets);

  ASSERT_EQ(device.windows.size(), pipeline.windows.size());
  ASSERT_GE(device.windows.size(), packets / 20'000);
  const auto apart = worst(device, pipeline);
  RecordProperty("worst_apart", std::to_string(apart));
  EXPECT_LE(apart, .01);
  expect_used(desired, device.report, packets);
  expect_used(desired, pipeline.report, packets);
}

}  // namespace
}  // namespace foreflow::pipeline
