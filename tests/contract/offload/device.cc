// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/offload/device.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include <rte_ethdev.h>
#include <rte_flow.h>

namespace foreflow::offload::test {
namespace {

constexpr std::uint16_t kBurst = 32;
constexpr std::uint16_t kRing = 64;
constexpr std::uint64_t kStart = 1'000'000'000;

std::atomic<std::uint64_t> manual_now{kStart};
rte_mempool* pool = nullptr;
std::function<void(rte_mbuf&)> stamp;

void start_port(std::uint16_t port) {
  rte_eth_conf conf{};
  ASSERT_EQ(rte_eth_dev_configure(port, 1, 1, &conf), 0);
  ASSERT_EQ(rte_eth_rx_queue_setup(port, 0, kRing, SOCKET_ID_ANY, nullptr, pool), 0);
  ASSERT_EQ(rte_eth_tx_queue_setup(port, 0, kRing, SOCKET_ID_ANY, nullptr), 0);
  ASSERT_EQ(rte_eth_dev_start(port), 0);
}

void put16(std::uint8_t*& at, std::uint16_t value) {
  *at++ = static_cast<std::uint8_t>(value >> 8);
  *at++ = static_cast<std::uint8_t>(value);
}

rte_mbuf* build(const Frame& frame) {
  auto* packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) return nullptr;
  if (!frame.bytes.empty()) {
    char* whole = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.bytes.size()));
    std::memcpy(whole, frame.bytes.data(), frame.bytes.size());
    return packet;
  }
  auto* bytes = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.size)));
  if (bytes == nullptr) return nullptr;
  std::memset(bytes, 0, frame.size);
  auto* at = std::copy(frame.destination.octets.begin(), frame.destination.octets.end(), bytes);
  at = std::copy(frame.source.octets.begin(), frame.source.octets.end(), at);
  if (frame.vlan) {
    put16(at, 0x8100);
    put16(at, *frame.vlan);
  }
  put16(at, 0x0800);
  if (stamp) stamp(*packet);
  return packet;
}

// Where the VM of this address is.
ResolvedIntent of_vm(std::uint64_t id, const MacAddress& mac) {
  ResolvedIntent resolved;
  resolved.intent.id = IntentId{id};
  const auto port = mac == kWeb ? kWebPort : kSharedPort;
  resolved.attachments = {{.port_id = port, .mac = mac, .segment = {}}};
  resolved.source_ports = {kUplink, kWebPort, kSharedPort};
  if (mac == kWeb) std::erase(resolved.source_ports, kWebPort);
  return resolved;
}

ResolvedIntent limit(std::uint64_t id, const MacAddress& mac, Direction direction, BytesPerSecond rate) {
  auto resolved = of_vm(id, mac);
  resolved.intent.what = wire::Police{.vm = VmId{mac.octets[5]},
                                      .direction = direction,
                                      .cir = rate,
                                      .pir = rate,
                                      .cbs = Bytes{16'000},
                                      .pbs = Bytes{16'000}};
  return resolved;
}

}  // namespace

void DeviceTest::SetUpTestSuite() {
  if (pool != nullptr) return;
  pool = rte_pktmbuf_pool_create("frames", 2'047, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  ASSERT_NE(pool, nullptr);
  ASSERT_EQ(rte_flow_dynf_metadata_register(), 0);
  for (const auto port : kAllPorts) start_port(port);
}

void DeviceTest::SetUp() { use({}); }

void DeviceTest::use(const emulated::EswitchConfig& config) {
  emulated::reset(config);
  emulated::set_clock([] { return manual_now.load(std::memory_order_relaxed); });
}

void DeviceTest::advance(std::uint64_t nanoseconds) { manual_now += nanoseconds; }

std::uint32_t DeviceTest::arrive(std::uint16_t port, const Frame& frame, std::uint32_t count) {
  const auto reached = send_and_receive(port, frame, count);
  EXPECT_EQ(frames_in_use(), 0u) << "a dropped packet was not freed";
  return reached;
}

std::uint32_t DeviceTest::send_and_receive(std::uint16_t port, const Frame& frame, std::uint32_t count) {
  std::uint32_t reached = 0;
  for (std::uint32_t sent = 0; sent < count;) {
    std::array<rte_mbuf*, kBurst> burst{};
    const auto size = static_cast<std::uint16_t>(std::min<std::uint32_t>(kBurst, count - sent));
    for (std::uint16_t i = 0; i < size; ++i) burst.at(i) = build(frame);
    EXPECT_EQ(rte_eth_tx_burst(port, 0, burst.data(), size), size);
    sent += size;
    const auto received = rte_eth_rx_burst(port, 0, burst.data(), kBurst);
    rte_pktmbuf_free_bulk(burst.data(), received);
    reached += received;
  }
  return reached;
}

std::vector<std::vector<std::uint8_t>> DeviceTest::left_through(std::uint16_t port) {
  std::array<rte_mbuf*, kBurst> burst{};
  std::vector<std::vector<std::uint8_t>> frames;
  const auto received = rte_eth_rx_burst(port, 0, burst.data(), kBurst);
  for (std::uint16_t i = 0; i < received; ++i) {
    const auto* bytes = rte_pktmbuf_mtod(burst.at(i), const std::uint8_t*);
    frames.emplace_back(bytes, bytes + rte_pktmbuf_data_len(burst.at(i)));
  }
  rte_pktmbuf_free_bulk(burst.data(), received);
  return frames;
}

std::vector<std::uint8_t> DeviceTest::pass(std::uint16_t port, const std::vector<std::uint8_t>& bytes) {
  auto* packet = build({.source = {}, .destination = {}, .bytes = bytes});
  EXPECT_EQ(rte_eth_tx_burst(port, 0, &packet, 1), 1);
  auto frames = left_through(port);
  return frames.empty() ? std::vector<std::uint8_t>{} : frames.front();
}

Steering DeviceTest::steering_of(std::uint16_t port, const std::vector<std::uint8_t>& bytes) {
  auto* packet = build({.source = {}, .destination = {}, .bytes = bytes});
  EXPECT_EQ(rte_eth_tx_burst(port, 0, &packet, 1), 1);
  EXPECT_EQ(rte_eth_rx_burst(port, 0, &packet, 1), 1);
  const bool is_marked = (packet->ol_flags & RTE_MBUF_DYNFLAG_RX_METADATA) != 0;
  const auto steering = is_marked ? steering_in(*RTE_FLOW_DYNF_METADATA(packet), Direction::kEgress) : Steering{};
  rte_pktmbuf_free(packet);
  return steering;
}

unsigned DeviceTest::frames_in_use() { return rte_mempool_in_use_count(pool); }

void DeviceTest::stamp_with(std::function<void(rte_mbuf&)> with) { stamp = std::move(with); }

std::uint32_t DeviceTest::stream(std::uint16_t port, const Frame& frame, std::uint32_t count, std::uint64_t gap_ns) {
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    advance(gap_ns);
    reached += arrive(port, frame);
  }
  return reached;
}

ResolvedIntent egress_limit(std::uint64_t id, const MacAddress& mac, BytesPerSecond rate) {
  return limit(id, mac, Direction::kEgress, rate);
}

ResolvedIntent ingress_limit(std::uint64_t id, const MacAddress& mac, BytesPerSecond rate) {
  return limit(id, mac, Direction::kIngress, rate);
}

ResolvedIntent treating(std::uint64_t id, const MacAddress& mac, wire::Treatment treatment) {
  auto resolved = of_vm(id, mac);
  treatment.vm = VmId{mac.octets[5]};
  if (treatment.mirror) resolved.mirror_port = kUnusedPort;
  if (!treatment.steer_port.empty()) resolved.steer_port = kUnusedPort;
  resolved.intent.what = std::move(treatment);
  return resolved;
}

void set_rate(ResolvedIntent& intent, BytesPerSecond rate) {
  auto& police = std::get<wire::Police>(intent.intent.what);
  police.cir = police.pir = rate;
}

}  // namespace foreflow::offload::test
