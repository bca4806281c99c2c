// SPDX-License-Identifier: Apache-2.0
// Several receiving threads and a changing rule set at once, and meters on the packets' own time.
#include <atomic>
#include <thread>
#include <vector>

#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>

#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/device.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class TrafficTest : public DeviceTest {};

// Each thread owns one port's queue, as workers do; the web VM's ingress meter is hit by both.
TEST_F(TrafficTest, NothingIsLostBetweenReceivingThreadsAndChanges) {
  RteFlowBackend backend;
  ASSERT_TRUE(backend.probe(kAllPorts).hardware_meters);
  auto limit = ingress_limit(1, kWeb, BytesPerSecond{1'000'000});
  ASSERT_EQ(backend.apply({.set = {limit}, .clear = {}})[0].placement, wire::Placement::kHardware);
  constexpr std::uint32_t kFrames = 20'000;
  std::atomic<std::uint32_t> reached{0};
  std::atomic<unsigned> running{2};
  const auto receive_on = [&](std::uint16_t port) {
    ASSERT_EQ(rte_thread_register(), 0);
    reached += send_and_receive(port, {.source = kRed, .destination = kWeb, .size = 100}, kFrames);
    rte_thread_unregister();
    --running;
  };
  std::thread uplink(receive_on, kUplink);
  std::thread shared(receive_on, kSharedPort);
  std::uint64_t changes = 0;
  while (running > 0) {
    advance(1'000'000);
    set_rate(limit, BytesPerSecond{1'000'000 + changes % 7 * 100'000});
    backend.apply({.set = {limit, egress_limit(2, kBlue, BytesPerSecond{500'000})}, .clear = {}});
    backend.apply({.set = {}, .clear = {IntentId{2}}});
    ++changes;
  }
  uplink.join();
  shared.join();
  const auto stats = backend.read_stats();
  ASSERT_EQ(stats.size(), 1u);
  EXPECT_GT(changes, 0u);
  EXPECT_EQ(stats[0].passed_packets, reached);
  EXPECT_EQ(stats[0].passed_packets + stats[0].dropped_packets, 2 * kFrames);
  EXPECT_GT(stats[0].dropped_packets, 0u);
  EXPECT_EQ(frames_in_use(), 0u);
}

TEST_F(TrafficTest, MetersRunOnReceiveTimestampsWhenToldTo) {
  int offset = -1;
  std::uint64_t flag = 0;
  ASSERT_EQ(rte_mbuf_dyn_rx_timestamp_register(&offset, &flag), 0);
  use({.time = emulated::TimeSource::kRxTimestamp});
  RteFlowBackend backend;
  ASSERT_TRUE(backend.probe(kAllPorts).hardware_meters);
  ASSERT_EQ(backend.apply({.set = {egress_limit(1, kWeb, BytesPerSecond{1'000'000})}, .clear = {}})[0].reason, "");
  std::uint32_t reached = 0;
  for (std::uint64_t i = 0; i < 4'000; ++i) {
    // 4 MB/s for a second, in microseconds
    stamp_with([=](rte_mbuf& packet) {
      *RTE_MBUF_DYNFIELD(&packet, offset, rte_mbuf_timestamp_t*) = 1'000'000 + i * 250;
      packet.ol_flags |= flag;
    });
    reached += arrive(kWebPort, {.source = kWeb, .destination = kOutside});
  }
  stamp_with({});
  EXPECT_NEAR(reached, 1'000 + 16, 1'000 * .0039 + 2);
}

TEST_F(TrafficTest, AMeterThatChangesIsNotLedAstrayByPacketsThatAnotherPortHasReadAhead) {
  int offset = -1;
  std::uint64_t flag = 0;
  ASSERT_EQ(rte_mbuf_dyn_rx_timestamp_register(&offset, &flag), 0);
  use({.time = emulated::TimeSource::kRxTimestamp});
  RteFlowBackend backend;
  backend.probe(kAllPorts);
  const auto stamp = [&](std::uint64_t micros) {
    stamp_with([=](rte_mbuf& packet) {
      *RTE_MBUF_DYNFIELD(&packet, offset, rte_mbuf_timestamp_t*) = micros;
      packet.ol_flags |= flag;
    });
  };
  std::uint32_t reached = 0;
  for (std::uint64_t i = 0; i < 4'000; ++i) {
    if (i % 400 == 0) {
      stamp(100'000'000);
      arrive(kUplink, {.source = kOutside, .destination = kWeb});
      const BytesPerSecond rate{i % 800 == 0 ? 1'000'000U : 2'000'000U};
      ASSERT_EQ(backend.apply({.set = {egress_limit(1, kWeb, rate)}, .clear = {}})[0].reason, "");
    }
    stamp(1'000'000 + i * 250);
    reached += arrive(kWebPort, {.source = kWeb, .destination = kOutside});
  }
  stamp_with({});
  EXPECT_NEAR(reached, 1'500 + 16, 1'500 * .0039 + 12);
}

}  // namespace
}  // namespace foreflow::offload
