// SPDX-License-Identifier: Apache-2.0
// What one VM or the configuration does must not reach the others.
#include <cstring>
#include <optional>

#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint64_t kMillisecond = 1'000'000;

wire::DesiredState vms(std::uint8_t count) {
  wire::DesiredState desired;
  for (std::uint8_t i = 1; i <= count; ++i)
    desired.vms.push_back({VmId{i}, "vm" + std::to_string(i), {{"port" + std::to_string(i), mac(i), Segment{0}}}});
  return desired;
}

class Resilience : public testing::TestWithParam<std::uint16_t> {
 protected:
  Resilience() { start(); }
  void start() {
    bed_.reset();  // names of rings are those of the process
    bed_.emplace(GetParam(),
                 std::vector<TestPort>{{"port1"}, {"port2"}, {"port3"}, {"uplink", config::PortRole::kUplink}});
  }
  std::optional<Testbed> bed_;
};
INSTANTIATE_TEST_SUITE_P(Workers, Resilience, testing::Values(1, 3));

// Every payload names its VM; what arrives elsewhere fails the test. Passed bytes with and without swaps.
class Capped {
 public:
  Capped(Testbed& bed, bool swaps) : bed_(bed), swaps_(swaps), desired_(vms(3)) {
    desired_.intents = {{IntentId{1}, 0, wire::Demand::kSoftware,
                         wire::Police{VmId{1}, Direction::kIngress, {1'000'000}, {1'000'000}, {4'000}, {4'000}}}};
    bed_.apply(desired_);
    bed_.report();
  }

  std::uint64_t passed_in_three_seconds() {
    for (std::uint64_t ms = 1; ms <= 3'000; ++ms) {
      if (swaps_ && ms % 10 == 0) swap(ms);
      for (std::uint8_t vm = 1; vm <= 2; ++vm)
        for (int i = 0; i < 3; ++i)
          bed_.put(
              "uplink", static_cast<std::uint16_t>(ms),
              make_frame(
                  {.source = kGateway, .destination = mac(vm), .payload = vm == 1 ? "vm 1" : "vm 2", .size = 1'000}));
      bed_.run_at(Testbed::kSecond + ms * kMillisecond);
      for (std::uint8_t vm = 1; vm <= 3; ++vm) check(vm);
    }
    const auto report = bed_.report();
    EXPECT_EQ(report.dataplane.rx_packets, report.dataplane.tx_packets + sum(report.dataplane.drops));
    const auto& other = sample_of(report, VmId{2}).directions[index(Direction::kIngress)];
    EXPECT_EQ(other.passed_packets, 9'000u);
    return sample_of(report, VmId{1}).directions[index(Direction::kIngress)].passed_bytes;
  }

 private:
  // Another VM comes or goes, and its limits change.
  void swap(std::uint64_t ms) {
    auto next = desired_;
    next.generation = Generation{ms};
    if (ms % 20 == 0) next.vms.pop_back();
    next.intents.push_back({IntentId{2}, 0, wire::Demand::kSoftware,
                            wire::Police{VmId{3}, Direction::kEgress, {ms}, {2 * ms}, {4'000}, {4'000}}});
    bed_.apply(next);
  }
  void check(std::uint8_t vm) {
    const std::string mark = "vm " + std::to_string(vm);
    for (const auto& frame : bed_.sent("port" + std::to_string(vm)))
      ASSERT_EQ(std::memcmp(frame.data() + 42, mark.data(), mark.size()), 0);
  }

  Testbed& bed_;
  bool swaps_;
  wire::DesiredState desired_;
};

TEST_P(Resilience, AHundredSwapsPerSecondChangeNoRateAndLoseNothing) {
  const auto steady = Capped(*bed_, false).passed_in_three_seconds();
  start();
  EXPECT_EQ(Capped(*bed_, true).passed_in_three_seconds(), steady);
  EXPECT_NEAR(static_cast<double>(steady), 3'000'000, 15'000);
}

TEST_P(Resilience, ASynFloodOfOneVmTouchesNoOtherVm) {
  bed_->apply(vms(2));
  const auto to_first = [](std::uint32_t flow) {
    return make_frame({.source = kGateway,
                       .destination = mac(1),
                       .source_host = static_cast<std::uint8_t>(flow >> 16),
                       .protocol = 6,
                       .source_port = static_cast<std::uint16_t>(flow),
                       .tcp_flags = kSynFlag});
  };
  const auto to_second = [](std::uint16_t port, std::uint8_t flags) {
    return make_frame(
        {.source = kGateway, .destination = mac(2), .protocol = 6, .source_port = port, .tcp_flags = flags});
  };
  for (std::uint16_t port = 1; port <= 100; ++port) bed_->put("uplink", port, to_second(port, kSynFlag));
  bed_->run();
  const auto opened = bed_->report();
  EXPECT_EQ(sample_of(opened, VmId{2}).connections_opened, 100u);

  constexpr std::uint32_t kFlood = 150'000;
  for (std::uint32_t flow = 0; flow < kFlood; ++flow) {
    bed_->put("uplink", static_cast<std::uint16_t>(flow), to_first(flow));
    if (flow % 1'000 == 0)
      for (std::uint16_t port = 1; port <= 100; ++port) bed_->put("uplink", port, to_second(port, kAckFlag));
    if (flow % 500 == 499) bed_->run_at(2 * Testbed::kSecond + flow * 10'000ull);
    if (flow % 500 == 499) bed_->sent("port1"), bed_->sent("port2");
  }
  const auto report = bed_->report();
  const auto& flooded = sample_of(report, VmId{1});
  const auto& other = sample_of(report, VmId{2});
  EXPECT_EQ(flooded.directions[index(Direction::kIngress)].passed_packets, kFlood);  // counted per VM, never dropped
  EXPECT_EQ(flooded.untracked_packets + flooded.connections_opened, kFlood);
  EXPECT_GT(flooded.untracked_packets, 0u);
  EXPECT_EQ(other.directions[index(Direction::kIngress)].passed_packets, 15'000u);
  EXPECT_EQ(other.connections_opened, 0u);
  EXPECT_EQ(other.connections_active, 100u);
  EXPECT_EQ(other.untracked_packets, 0u);
  EXPECT_EQ(bed_->in_use(), 0u);
}

}  // namespace
}  // namespace foreflow::pipeline
