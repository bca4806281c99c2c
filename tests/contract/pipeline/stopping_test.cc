// SPDX-License-Identifier: Apache-2.0
// The end of a run: no packet and no report is lost without a trace.
#include <csignal>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/compress.h"
#include "dataplane/pipeline/control.h"
#include "dataplane/telemetry/spool.h"
#include "tests/contract/pipeline/absent_manager.h"
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

// All that reached the spool, decompressed.
std::vector<wire::Report> spooled(const std::filesystem::path& directory) {
  std::vector<wire::Report> reports;
  const auto spool = telemetry::Spool::open(directory, Bytes{1u << 20});
  for (auto at = spool->first(); at < spool->end(); ++at) reports.push_back(*wire::decompress(*spool->read(at)));
  return reports;
}

TEST(Stopping, TheLastIntervalReachesTheSpool) {
  AbsentManager manager(2);
  const auto& config = manager.config();
  Testbed bed(2, {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}});
  auto signals = Signals::block();
  ASSERT_TRUE(signals);
  {
    const auto hello = make_hello(config, bed.ports(), {});
    const auto session = manager.connect(hello);
    ASSERT_TRUE(session);
    Background background([] {});
    offload::Enforcer enforcer(nullptr);
    Control control({config, bed.ports(), bed.engine(), enforcer, *session, background, hello, {}});
    ASSERT_TRUE(control.prepare());
    ASSERT_EQ(std::raise(SIGTERM), 0);  // waits until it is asked for
    control.run(*signals);
    bed.put("a", 0, make_frame({.source = mac(1), .destination = kGateway}));
    bed.run();
    bed.engine().stop();
    control.conclude();
  }
  const auto reports = spooled(manager.spool());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].dataplane.rx_packets, 1u);
  EXPECT_GT(reports[0].interval_ns, 0u);
}

}  // namespace
}  // namespace foreflow::pipeline
