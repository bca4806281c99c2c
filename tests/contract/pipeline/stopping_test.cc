// SPDX-License-Identifier: Apache-2.0
// The end of a run: no packet and no report is lost without a trace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr VmId kVm{2};  // its slot belongs to worker 1
constexpr MacAddress kGateway = mac(0xfe);

wire::DesiredState two_vms() {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{0}}}}, {kVm, "b", {{"b", mac(2), Segment{0}}}}};
  return desired;
}

TEST(Stopping, WhatIsLeftInARingIsCountedAndFreed) {
  Testbed bed(2, {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}});
  bed.apply(two_vms());
  bed.report();
  for (int i = 0; i < 3; ++i) bed.put("b", 0, make_frame({.source = mac(2), .destination = kGateway, .size = 100}));
  bed.poll(0);
  ASSERT_EQ(bed.in_use(), 3u);
  bed.engine().stop();
  EXPECT_EQ(bed.in_use(), 0u);
  const auto report = bed.report();
  EXPECT_EQ(report.dataplane.rx_packets, 3u);
  EXPECT_EQ(report.dataplane.drops[wire::index(wire::DropCause::kHandover)], 3u);
  const auto& egress = sample_of(report, kVm).directions[index(Direction::kEgress)];
  EXPECT_EQ(egress.offered_bytes, 300u);
  EXPECT_EQ(egress.drops[wire::index(wire::DropCause::kHandover)], 3u);
}

}  // namespace
}  // namespace foreflow::pipeline
