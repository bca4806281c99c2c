// SPDX-License-Identifier: Apache-2.0
// Frames that most traffic does not have: stacked tags, fragments, extension headers, jumbo frames in several buffers.
#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"
#include "tests/unit/dataplane/frames.h"

namespace foreflow::pipeline {
namespace {

using namespace foreflow::testing;  // NOLINT: builders of bytes
using ::testing::ElementsAre;

class OddFrames : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  OddFrames()
      : bed_(GetParam(), {{"a", config::PortRole::kVm, 9'000},
                          {"b", config::PortRole::kVm, 9'000},
                          {"uplink", config::PortRole::kUplink, 9'000}}) {
    wire::DesiredState desired;
    desired.generation = Generation{1};
    desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{200}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{200}}}}};
    bed_.apply(desired);
    bed_.report();
  }
  // From VM 1 to VM 2, in these buffers.
  FrameBytes through(FrameBytes frame, std::size_t piece = Testbed::kWhole) {
    frame = addressed(std::move(frame), mac(1), mac(2));
    bed_.put("a", 0, frame, piece);
    bed_.run();
    EXPECT_THAT(bed_.sent("b"), ElementsAre(frame));
    return frame;
  }
  static FrameBytes addressed(FrameBytes frame, const MacAddress& source, const MacAddress& destination) {
    std::ranges::copy(destination.octets, frame.begin());
    std::ranges::copy(source.octets, frame.begin() + 6);
    return frame;
  }
  wire::VmSample sample() {
    const auto report = bed_.report();
    EXPECT_EQ(report.dataplane.rx_packets + report.dataplane.flood_copies,
              report.dataplane.tx_packets + sum(report.dataplane.drops));
    EXPECT_EQ(bed_.in_use(), 0u);
    return sample_of(report, VmId{2});
  }

  Testbed bed_;
};
INSTANTIATE_TEST_SUITE_P(OneAndThreeWorkers, OddFrames, ::testing::Values(1, 3));

TEST_P(OddFrames, AJumboFrameInSeveralBuffersIsCountedAndSentWhole) {
  FrameBytes payload(8'000);
  std::iota(payload.begin(), payload.end(), std::uint8_t{0});
  const auto frame = through(ethernet(0x0800, ipv4({17, {}, 0}, udp(1000, 2000, payload))), 1'500);
  const auto ingress = sample().directions[index(Direction::kIngress)];
  EXPECT_EQ(ingress.passed_bytes, frame.size());
  EXPECT_EQ(ingress.sizes[wire::kSizeClasses - 1], 1u);
}

TEST_P(OddFrames, HeadersInSeveralBuffersAreReadAllTheSame) {
  const auto segment = tcp(1000, 2000, 0x02, zeros(500));
  for (const std::size_t piece : {20, 33, 60})
    through(ethernet(0x86dd, ipv6(60, FrameBytes{6, 1} + zeros(14) + segment)), piece);
  EXPECT_EQ(sample().connections_opened, 1u);
}

TEST_P(OddFrames, OfStackedTagsTheOuterOneIsTheSegment) {
  const auto inner = ipv4({17, {}, 0}, udp(1000, 2000, text("hello")));
  bed_.put("uplink", 0, addressed(ethernet(0x88a8, vlan(200, 0x8100, vlan(7, 0x0800, inner))), mac(9), mac(2)));
  bed_.run();
  EXPECT_THAT(bed_.sent("b"), ElementsAre(addressed(ethernet(0x8100, vlan(7, 0x0800, inner)), mac(9), mac(2))));
  EXPECT_EQ(sample().connections_opened, 1u);
}

TEST_P(OddFrames, FragmentsOfADatagramAreOneFlow) {
  for (const std::uint16_t offset : {0x2000, 0x20b9, 0x0172})
    through(ethernet(0x0800, ipv4({17, {}, offset}, udp(1000, 2000, zeros(600)))));
  const auto of_b = sample();
  EXPECT_EQ(of_b.connections_opened, 1u);
  EXPECT_EQ(of_b.directions[index(Direction::kIngress)].passed_packets, 3u);
}

}  // namespace
}  // namespace foreflow::pipeline
