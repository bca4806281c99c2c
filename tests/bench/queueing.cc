// SPDX-License-Identifier: Apache-2.0
// The scheduler of an uplink against DPDK's rte_sched: four classes, one strict and three by weight, bursts of 32
// packets of mixed sizes in and out, some hundred packets waiting. Both send as fast as they are asked.
#include <array>
#include <cstdio>
#include <span>
#include <vector>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_sched.h>

#include "dataplane/police/class_scheduler.h"
#include "tests/bench/figures.h"

namespace foreflow {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kBursts = 5'000;
constexpr std::size_t kRounds = 41;
constexpr std::size_t kWaiting = 512;
constexpr std::uint64_t kRate = 125'000'000'000;  // bytes/s: nobody waits for the wire
constexpr std::array<std::uint32_t, 12> kMix{64, 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594};

std::vector<rte_mbuf*> packets() {
  auto* pool = rte_pktmbuf_pool_create("bench", kWaiting + kBurst, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  std::vector<rte_mbuf*> all(kWaiting + kBurst);
  if (pool == nullptr || rte_pktmbuf_alloc_bulk(pool, all.data(), static_cast<unsigned>(all.size())) != 0) return {};
  for (std::size_t i = 0; i < all.size(); ++i)
    rte_pktmbuf_append(all[i], static_cast<std::uint16_t>(kMix[i % kMix.size()]));
  return all;
}

class Ours {
 public:
  explicit Ours(const std::vector<rte_mbuf*>& packets) {
    wire::Queueing queueing;
    queueing.queues = {{{true, 1}, {false, 4}, {false, 2}, {false, 1}}};
    scheduler_.configure(queueing, BytesPerSecond{kRate});
    for (std::size_t i = 0; i < kWaiting; ++i) push(packets[i]);
    held_.assign(packets.begin() + kWaiting, packets.end());
  }
  void run() {
    std::array<police::ClassScheduler<rte_mbuf*>::Entry, kBurst> out;
    for (std::size_t b = 0; b < kBursts; ++b) {
      for (auto* packet : held_) push(packet);
      now_ns_ += 100'000;
      const auto count = scheduler_.pop(out, now_ns_);
      for (std::size_t i = 0; i < count; ++i) held_[i] = out[i].packet;
      bench::keep(held_);
    }
  }

 private:
  // A class and one of 64 VMs, as the rules would have said.
  void push(rte_mbuf* packet) {
    ++turn_;
    scheduler_.push({.packet = packet,
                     .since_ns = now_ns_,
                     .size = rte_pktmbuf_pkt_len(packet),
                     .party = static_cast<std::uint16_t>(turn_ % 64),
                     .queue = static_cast<std::uint8_t>(turn_ % 4),
                     .guaranteed = true});
  }
  police::ClassScheduler<rte_mbuf*> scheduler_{64};
  std::vector<rte_mbuf*> held_;
  std::size_t turn_ = 0;
  std::uint64_t now_ns_ = 1'000'000'000;
};

// One subport with one pipe: traffic class 0 is served first, three queues of the best-effort class by weight.
class RteSched {
 public:
  explicit RteSched(const std::vector<rte_mbuf*>& packets) {
    rte_sched_pipe_params pipe{};
    pipe.tb_rate = kRate;
    pipe.tb_size = 1'000'000;
    for (auto& rate : pipe.tc_rate) rate = kRate;
    pipe.tc_period = 10;
    pipe.tc_ov_weight = 1;
    const std::array<std::uint8_t, RTE_SCHED_BE_QUEUES_PER_PIPE> weights{4, 2, 1, 1};
    std::copy(weights.begin(), weights.end(), pipe.wrr_weights);
    rte_sched_subport_params subport{};
    subport.n_pipes_per_subport_enabled = 1;
    for (auto& size : subport.qsize) size = 2'048;
    subport.pipe_profiles = &pipe;
    subport.n_pipe_profiles = subport.n_max_pipe_profiles = 1;
    rte_sched_subport_profile_params profile{};
    profile.tb_rate = kRate;
    profile.tb_size = 1'000'000;
    for (auto& rate : profile.tc_rate) rate = kRate;
    profile.tc_period = 10;
    rte_sched_port_params port{};
    port.name = "bench";
    port.socket = 0;
    port.rate = kRate;
    port.mtu = 1'522;
    port.frame_overhead = 0;
    port.n_subports_per_port = 1;
    port.subport_profiles = &profile;
    port.n_subport_profiles = port.n_max_subport_profiles = 1;
    port.n_pipes_per_subport = 1;
    port_ = rte_sched_port_config(&port);
    works_ = port_ != nullptr && rte_sched_subport_config(port_, 0, &subport, 0) == 0 &&
             rte_sched_pipe_config(port_, 0, 0, 0) == 0;
    if (!works_) return;
    held_.assign(packets.begin(), packets.begin() + kWaiting);
    push(held_);
    held_.assign(packets.begin() + kWaiting, packets.end());
  }
  bool works() const { return works_; }
  void run() {
    for (std::size_t b = 0; b < kBursts; ++b) {
      push(held_);
      std::size_t count = 0;
      while (count < kBurst)  // it looks at the time itself, and may want some of it to pass
        count += static_cast<std::size_t>(
            rte_sched_port_dequeue(port_, held_.data() + count, static_cast<std::uint32_t>(kBurst - count)));
      bench::keep(held_);
    }
  }

 private:
  void push(std::span<rte_mbuf*> burst) {
    for (auto* packet : burst) {
      const auto at = ++turn_ % 4;
      const auto traffic_class = at == 0 ? 0 : RTE_SCHED_TRAFFIC_CLASS_BE;
      rte_sched_port_pkt_write(port_, packet, 0, 0, traffic_class, at == 0 ? 0 : at - 1, RTE_COLOR_GREEN);
    }
    rte_sched_port_enqueue(port_, burst.data(), static_cast<std::uint32_t>(burst.size()));
  }
  rte_sched_port* port_ = nullptr;
  bool works_ = false;
  std::vector<rte_mbuf*> held_;
  std::uint32_t turn_ = 0;
};

bench::Figure compare(const std::vector<rte_mbuf*>& packets, RteSched& theirs) {
  Ours ours(packets);
  const auto result = bench::duel(
      kRounds, kBursts * kBurst, [&] { ours.run(); }, [&] { theirs.run(); });
  return {"class scheduler",    result.subject.median, "ns/packet", "rte_sched", result.peer.median, 1.0,
          result.subject.spread};
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  char program[] = "bench", no_huge[] = "--no-huge", memory[] = "-m64", no_pci[] = "--no-pci",
       no_telemetry[] = "--no-telemetry", no_shared[] = "--no-shconf", level[] = "--log-level=error";
  std::array arguments{program, no_huge, memory, no_pci, no_telemetry, no_shared, level};
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    std::fputs("bench: EAL did not start; it says why above\n", stderr);
    return 2;
  }
  using namespace foreflow;
  const auto all = packets();
  RteSched theirs(all);
  if (all.empty() || !theirs.works()) {
    std::fputs("bench: no packet buffers, or rte_sched refuses its configuration\n", stderr);
    return 2;
  }
  return bench::report(argc, argv, {compare(all, theirs)});
}
