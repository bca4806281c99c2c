// SPDX-License-Identifier: Apache-2.0
// Flows that the device carries: the pipeline sees only the rest, and nothing is counted twice or not at all. The
// emulated eSwitch stands in front of the test bed's ports.
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

namespace emulated = offload::emulated;

using testing::HasSubstr;
using testing::SizeIs;
using wire::Placement;

constexpr VmId kWeb{1};
constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kOut = index(Direction::kEgress);
constexpr std::size_t kIn = index(Direction::kIngress);
constexpr IntentId kBypass{9};

std::atomic<std::uint64_t> device_now{Testbed::kSecond};

struct Sent {
  std::array<std::uint64_t, kDirections> packets{};
  std::array<std::uint64_t, kDirections> bytes{};
};

class Bypass : public testing::TestWithParam<std::uint16_t> {
 protected:
  void SetUp() override {
    device_now = Testbed::kSecond;
    emulated::reset({});
    emulated::set_clock([] { return device_now.load(); });
    bed_ = std::make_unique<Testbed>(GetParam(),
                                     std::vector<TestPort>{{"uplink", config::PortRole::kUplink}, {"web"}, {"db"}},
                                     config::ClockConfig{}, std::make_unique<offload::RteFlowBackend>());
  }
  void TearDown() override {
    bed_.reset();
    emulated::reset({});
  }

  static wire::Intent limit(std::uint64_t id, Direction direction, BytesPerSecond rate,
                            wire::Demand demand = wire::Demand::kPreferHardware) {
    const Bytes burst{std::max<std::uint64_t>(64'000, rate.value / 100)};
    return {IntentId{id}, 0, demand, wire::Police{kWeb, direction, rate, rate, burst, burst}};
  }
  static wire::Intent bypass(std::uint64_t least_bytes) {
    return {kBypass, 0, wire::Demand::kPreferHardware, wire::Bypass{kWeb, std::nullopt, least_bytes, 5}};
  }
  wire::Applied apply(std::vector<wire::Intent> intents) {
    wire::DesiredState desired{.generation = Generation{++generation_}};
    desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}}, {VmId{2}, "db", {{"db", mac(2), Segment{0}}}}};
    desired.intents = std::move(intents);
    return bed_->apply(desired);
  }
  void pass_time(std::uint64_t nanoseconds) {
    device_now += nanoseconds;
    bed_->run_at(device_now);
    bed_->serve();
    bed_->run_at(device_now);
  }
  void send(Direction direction, std::uint16_t flow, std::size_t size, std::uint8_t flags = kAckFlag) {
    const bool out = direction == Direction::kEgress;
    const auto frame =
        make_frame({.source = out ? mac(1) : mac(99),
                    .destination = out ? mac(99) : mac(1),
                    .source_host = static_cast<std::uint8_t>(out ? 1 : 2),
                    .destination_host = static_cast<std::uint8_t>(out ? 2 : 1),
                    .protocol = kTcp,
                    .source_port = out ? static_cast<std::uint16_t>(1'000 + flow) : std::uint16_t{80},
                    .destination_port = out ? std::uint16_t{80} : static_cast<std::uint16_t>(1'000 + flow),
                    .tcp_flags = flags,
                    .size = size});
    ++sent_.packets[index(direction)];
    sent_.bytes[index(direction)] += frame.size();
    bed_->put(out ? "web" : "uplink", 0, frame);
    bed_->run_at(device_now);
  }
  void open(std::uint16_t flow) {
    send(Direction::kEgress, flow, 60, kSynFlag);
    send(Direction::kIngress, flow, 60, kSynFlag | kAckFlag);
    send(Direction::kEgress, flow, 60);
  }
  void exchange(std::uint16_t flow, int times, std::size_t size = 1'000) {
    for (int i = 0; i < times; ++i) {
      send(Direction::kEgress, flow, size + static_cast<std::size_t>(i) % 7);
      send(Direction::kIngress, flow, size / 2 + static_cast<std::size_t>(i) % 5);
    }
  }
  std::uint64_t left(const std::string& port) { return bed_->sent(port).size(); }
  wire::Report report() {
    for (const auto& worker : bed_->engine().workers()) worker->top_flows().request();
    for (int i = 0; i < 200; ++i) bed_->run();
    return bed_->report();
  }

  std::unique_ptr<Testbed> bed_;
  Sent sent_;
  std::uint64_t generation_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Workers, Bypass, testing::Values(1, 3));

constexpr BytesPerSecond kAmple{1'000'000'000};

TEST_P(Bypass, ThePipelineSeesATenthAndTheTotalsAreExact) {
  const auto applied =
      apply({limit(1, Direction::kEgress, kAmple), limit(2, Direction::kIngress, kAmple), bypass(5'000)});
  for (const auto& result : applied.results) ASSERT_EQ(result.placement, Placement::kHardware) << result.reason;
  constexpr std::uint16_t kFlows = 8;
  for (std::uint16_t flow = 0; flow < kFlows; ++flow) open(flow);
  for (std::uint16_t flow = 0; flow < kFlows; ++flow) exchange(flow, 4);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), kFlows);
  const auto first = report();
  for (int round = 0; round < 5; ++round) {
    for (std::uint16_t flow = 0; flow < kFlows; ++flow) exchange(flow, 10);
    pass_time(Testbed::kSecond);
  }
  const auto rest = report();

  const auto seen = first.dataplane.rx_packets + rest.dataplane.rx_packets;
  const auto all = sent_.packets[kOut] + sent_.packets[kIn];
  EXPECT_EQ(rest.dataplane.rx_packets, 0u);
  EXPECT_LE(10 * seen, all * 11 / 10) << "a tenth and a little";
  for (const auto at : {kOut, kIn}) {
    const auto& before = sample_of(first, kWeb).directions[at];
    const auto& after = sample_of(rest, kWeb).directions[at];
    EXPECT_EQ(before.offered_packets + after.offered_packets, sent_.packets[at]);
    EXPECT_EQ(before.offered_bytes + after.offered_bytes, sent_.bytes[at]);
    EXPECT_EQ(before.passed_bytes + after.passed_bytes, sent_.bytes[at]);
    EXPECT_TRUE(before.peak_10ms_bytes.has_value());
    EXPECT_FALSE(after.peak_10ms_bytes.has_value()) << "nobody saw when they passed";
  }
  std::array<std::uint64_t, kDirections> of_flows{};
  ASSERT_THAT(rest.top_flows, SizeIs(kFlows));
  for (const auto& flow : rest.top_flows)
    for (const auto at : {kOut, kIn}) of_flows[at] += flow.bytes[at];
  EXPECT_EQ(of_flows, sent_.bytes);
  EXPECT_EQ(left("uplink"), sent_.packets[kOut]);
  EXPECT_EQ(left("web"), sent_.packets[kIn]);
  EXPECT_EQ(bed_->in_use(), 0u);
}

TEST_P(Bypass, AConnectionThatEndsComesBackWithItsCounts) {
  apply({bypass(2'000)});
  open(1);
  exchange(1, 3);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), 1u);
  exchange(1, 10);
  send(Direction::kEgress, 1, 60, kFinFlag | kAckFlag);
  exchange(1, 2);  // the device has it until control has taken it back
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
  const auto before = report();
  EXPECT_EQ(sample_of(before, kWeb).directions[kOut].passed_bytes, sent_.bytes[kOut]);
  EXPECT_EQ(sample_of(before, kWeb).directions[kIn].passed_bytes, sent_.bytes[kIn]);
  send(Direction::kIngress, 1, 60, kFinFlag | kAckFlag);
  EXPECT_EQ(report().dataplane.rx_packets, 1u) << "the pipeline has it again";
}

TEST_P(Bypass, AnIdleFlowComesBack) {
  apply({bypass(2'000)});
  open(1);
  exchange(1, 3);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), 1u);
  exchange(1, 1);
  pass_time(2 * Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  pass_time(6 * Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
  EXPECT_EQ(emulated::usage().rules, 0u) << "routes went with it";
  EXPECT_EQ(sample_of(report(), kWeb).directions[kOut].passed_bytes, sent_.bytes[kOut]);
}

TEST_P(Bypass, TheCapHoldsOverBothWays) {
  constexpr std::uint64_t kRate = 2'000'000;
  apply({limit(1, Direction::kEgress, BytesPerSecond{kRate}), bypass(3'000)});
  open(1);
  exchange(1, 4);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), 1u);
  left("uplink");
  const auto begun = sent_.bytes[kOut];
  std::uint64_t passed = 0;
  for (int i = 0; i < 4'000; ++i) {  // 4 MB in a second, half of it past the pipeline
    device_now += 250'000;
    send(Direction::kEgress, i % 2 == 0 ? 1 : static_cast<std::uint16_t>(100 + i), 1'000);
    for (const auto& frame : bed_->sent("uplink")) passed += frame.size();
  }
  EXPECT_GT(sent_.bytes[kOut] - begun, 3'900'000u);
  EXPECT_LE(passed, kRate + 64'000 + kRate / 250);
  EXPECT_GE(passed, kRate);
  pass_time(Testbed::kSecond);
  const auto sample = sample_of(report(), kWeb).directions[kOut];
  EXPECT_EQ(sample.offered_bytes, sent_.bytes[kOut]) << "what the meter dropped is counted, too";
  EXPECT_EQ(sample.offered_packets - sample.passed_packets, sample.drops[wire::index(wire::DropCause::kPoliced)]);
}

TEST_P(Bypass, FlowsComeBackBeforeTheirMeterGoesToThePipeline) {
  apply({limit(1, Direction::kEgress, kAmple), bypass(2'000)});
  open(1);
  exchange(1, 3);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), 1u);
  exchange(1, 5);
  const auto applied = apply({limit(1, Direction::kEgress, kAmple, wire::Demand::kSoftware), bypass(2'000)});
  EXPECT_EQ(bed_->flows_in_device(), 0u);
  EXPECT_EQ(applied.results[1].placement, Placement::kSoftware);
  EXPECT_THAT(applied.results[1].reason, HasSubstr("metered in the pipeline"));
  exchange(1, 5);
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u) << "nor is it offered again";
  EXPECT_EQ(sample_of(report(), kWeb).directions[kOut].passed_bytes, sent_.bytes[kOut]);
  EXPECT_EQ(emulated::usage().rules + emulated::usage().meters, 0u);
}

TEST_P(Bypass, AFullDeviceLeavesFlowsInThePipeline) {
  emulated::reset({.rules = 12});  // two routes of five rules each and one flow
  emulated::set_clock([] { return device_now.load(); });
  apply({bypass(2'000)});
  for (const std::uint16_t flow : {1, 2, 3}) {
    open(flow);
    exchange(flow, 3);
  }
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  for (const std::uint16_t flow : {1, 2, 3}) exchange(flow, 3);
  pass_time(Testbed::kSecond);
  EXPECT_EQ(sample_of(report(), kWeb).directions[kOut].passed_bytes, sent_.bytes[kOut]);
}

TEST_P(Bypass, ACategoryHasAThresholdOfItsOwn) {
  auto category = bypass(2'000);  // nothing is recognised here
  category.id = IntentId{10};
  std::get<wire::Bypass>(category.what).category = Category::kUnknown;
  auto other = category;
  other.id = IntentId{11};
  std::get<wire::Bypass>(other.what).category = Category::kVideo;
  const auto applied = apply({bypass(1'000'000'000), category, other});
  for (const auto& result : applied.results) EXPECT_EQ(result.placement, Placement::kHardware) << result.reason;
  open(1);
  exchange(1, 20);
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  apply({bypass(1'000'000'000), other});
  open(2);
  exchange(2, 20);
  pass_time(1'000'000);
  EXPECT_LE(bed_->flows_in_device(), 1u) << "the second one is too short for what is left";
}

TEST_P(Bypass, AFlowLeavesWithThePacketThatReachesItsThreshold) {
  auto soon = bypass(0);
  std::get<wire::Bypass>(soon.what).least_packets = 11;
  apply({soon});
  open(1);         // three packets
  exchange(1, 3);  // and six
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u) << "the ninth packet is counted after it was looked at";
  exchange(1, 1);
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
  exchange(1, 1);
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
}

TEST_P(Bypass, MoreOfSilenceMayBeWaitedForByApplication) {
  auto patient = bypass(2'000);
  patient.id = IntentId{10};
  std::get<wire::Bypass>(patient.what).category = Category::kUnknown;  // nothing is recognised here
  std::get<wire::Bypass>(patient.what).idle_seconds = 20;
  apply({bypass(2'000), patient});
  open(1);
  exchange(1, 3);
  pass_time(1'000'000);
  ASSERT_EQ(bed_->flows_in_device(), 1u);
  pass_time(12 * Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  pass_time(12 * Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
}

TEST_P(Bypass, LocalTrafficAndShortFlowsStayInThePipeline) {
  apply({bypass(1'000'000)});
  open(1);
  exchange(1, 20);
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
}

}  // namespace
}  // namespace foreflow::pipeline
