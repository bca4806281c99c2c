// SPDX-License-Identifier: Apache-2.0
// When a replay's time may move on, and when a capture has ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/pipeline/source.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr MacAddress kGateway = mac(0xfe);

TEST(CaptureClock, APacketInARingIsOnItsWayBeforeItsGiverHasArrived) {
  Testbed bed(2, {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}}, {config::ClockSource::kCapture, 0});
  wire::DesiredState desired;
  desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{0}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{0}}}}};
  bed.apply(desired);
  auto& timeline = *bed.engine().timeline();
  for (std::uint16_t worker = 0; worker < 2; ++worker) timeline.arrive(worker, {.next_due = kNever});
  ASSERT_TRUE(timeline.settled());

  // VM 2's slot belongs to worker 1, its packet comes in at worker 0.
  bed.put("b", 0, make_frame({.source = mac(2), .destination = kGateway}));
  bed.poll(0);
  EXPECT_FALSE(timeline.settled());
  bed.poll(1);
  EXPECT_FALSE(timeline.settled());
  timeline.arrive(1, {.next_due = kNever, .taken_over = 1});
  EXPECT_TRUE(timeline.settled());
  EXPECT_EQ(bed.sent("uplink").size(), 1u);
}

TEST(CaptureClock, PacketsThatFindTheRingFullAreNotOnTheirWay) {
  Testbed bed(2, {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}}, {config::ClockSource::kCapture, 0});
  wire::DesiredState desired;
  desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{0}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{0}}}}};
  bed.apply(desired);
  auto& timeline = *bed.engine().timeline();
  for (std::size_t i = 0; i < 2 * Handover::kRingSize; ++i)
    bed.put("b", 0, make_frame({.source = mac(2), .destination = kGateway}));
  for (std::size_t i = 0; i < 2 * Handover::kRingSize / kBurst; ++i) bed.poll(0);
  const auto lost = bed.report().dataplane.drops[wire::index(wire::DropCause::kHandover)];
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(timeline.handed_over(0), 2 * Handover::kRingSize - lost);
}

TEST(CaptureSource, SaysHowManyPacketsDidNotCome) {
  Testbed bed(1, {{"a"}});
  bed.put("a", 0, make_frame({.source = mac(1), .destination = kGateway}));
  CaptureSource source(bed.find("a").id, 0, 5);
  std::array<rte_mbuf*, kBurst> packets;
  testing::internal::CaptureStderr();
  ASSERT_EQ(source.receive(packets, 1), 1u);
  rte_pktmbuf_free(packets[0]);
  for (int reads = 0; reads < 5'000; ++reads) source.next_due();
  const auto told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(source.next_due(), kNever);
  EXPECT_THAT(told, testing::HasSubstr("capture ends early"));
  EXPECT_THAT(told, testing::HasSubstr("missing_packets=4"));
  EXPECT_EQ(told.find("capture ends early"), told.rfind("capture ends early")) << "once";
}

}  // namespace
}  // namespace foreflow::pipeline
