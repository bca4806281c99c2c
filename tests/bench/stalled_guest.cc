// SPDX-License-Identifier: Apache-2.0
// A guest that stops reading, its queue full, beside one that reads on: how long a packet takes from the uplink's queue
// to its neighbour's, and who loses what. One worker on a processor of its own; rounds in turn with a guest that reads.
#include <cmath>
#include <exception>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>
#include <rte_cycles.h>
#include <sched.h>

#include "tests/bench/figures.h"
#include "tests/bench/private_eal.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr int kRounds = 15;
constexpr int kProbes = 20'000;  // in a round
constexpr int kToGuest = 7;      // frames for the guest in front of each probe
constexpr VmId kGuest{1}, kNeighbour{2};
constexpr MacAddress kGateway = mac(0xfe);
constexpr double kMostWaitUs = 1e6;

wire::DesiredState two_vms() {
  wire::DesiredState desired;
  desired.vms = {{kGuest, "guest", {{"guest", mac(1), Segment{0}}}},
                 {kNeighbour, "neighbour", {{"neighbour", mac(2), Segment{0}}}}};
  return desired;
}

double to_us(std::uint64_t cycles) { return static_cast<double>(cycles) * 1e6 / static_cast<double>(rte_get_tsc_hz()); }

class Bench {
 public:
  struct Round {
    double p50 = 0;  // us
    double p99 = 0;
  };

  Bench() {
    bed_.apply(two_vms());
    if (!bed_.engine().launch()) throw std::runtime_error("the worker does not start");
  }

  Round round(bool guest_reads) {
    for (int i = 0; i < 1'000; ++i) probe(guest_reads);  // a guest that does not read has a full queue then
    bed_.report();
    std::vector<double> times;
    times.reserve(kProbes);
    for (int i = 0; i < kProbes; ++i) times.push_back(probe(guest_reads));
    const auto report = bed_.report();
    (guest_reads ? full_while_reading_ : full_while_stalled_) += full(report, kGuest);
    neighbour_lost_ += std::accumulate(report.dataplane.drops.begin(), report.dataplane.drops.end(), std::uint64_t{0}) -
                       full(report, kGuest);
    bed_.sent("guest");
    std::sort(times.begin(), times.end());
    return {times[kProbes / 2], times[kProbes * 99 / 100]};
  }
  std::uint64_t full_while_stalled() const { return full_while_stalled_; }
  std::uint64_t full_while_reading() const { return full_while_reading_; }
  std::uint64_t neighbour_lost() const { return neighbour_lost_; }

 private:
  // us until the neighbour has it.
  double probe(bool guest_reads) {
    for (int i = 0; i < kToGuest; ++i) bed_.put("uplink", 0, to_guest_);
    const auto sent = rte_rdtsc();
    bed_.put("uplink", 0, to_neighbour_);
    while (bed_.sent("neighbour").empty())
      if (to_us(rte_rdtsc() - sent) > kMostWaitUs) throw std::runtime_error("the neighbour's packet does not arrive");
    const auto taken = to_us(rte_rdtsc() - sent);
    if (guest_reads) bed_.sent("guest");
    return taken;
  }
  static std::uint64_t full(const wire::Report& report, VmId vm) {
    const auto& ingress = sample_of(report, vm).directions[index(Direction::kIngress)];
    return ingress.drops[wire::index(wire::DropCause::kGuestFull)];
  }

  Testbed bed_{1, {{"guest"}, {"neighbour"}, {"uplink", config::PortRole::kUplink}}};
  FrameBytes to_guest_ = make_frame({.source = kGateway, .destination = mac(1), .size = 1'000});
  FrameBytes to_neighbour_ = make_frame({.source = kGateway, .destination = mac(2), .size = 100});
  std::uint64_t full_while_stalled_ = 0, full_while_reading_ = 0, neighbour_lost_ = 0;
};

int measure(int argc, char** argv) {
  Bench bench;
  std::vector<double> reading_p50, reading_p99, stalled_p50, stalled_p99;
  for (int i = 0; i < kRounds; ++i) {
    const auto reading = bench.round(true);
    const auto stalled = bench.round(false);
    reading_p50.push_back(reading.p50), reading_p99.push_back(reading.p99);
    stalled_p50.push_back(stalled.p50), stalled_p99.push_back(stalled.p99);
  }
  const auto p99 = bench::summarise(stalled_p99);
  const auto p50 = bench::summarise(stalled_p50);
  const auto count = [](std::uint64_t value) { return static_cast<double>(value); };
  return bench::report(argc, argv,
                       {{"neighbour's p99, the guest does not read", p99.median, "us", "the guest reads",
                         bench::summarise(reading_p99).median, 1.1, p99.spread},
                        {"neighbour's p50, the guest does not read", p50.median, "us", "the guest reads",
                         bench::summarise(reading_p50).median, 1.1, p50.spread},
                        {"packets of a reading guest dropped", count(bench.full_while_reading()), "",
                         "of a guest that does not", count(bench.full_while_stalled()), 0, 0},
                        {"other packets dropped", count(bench.neighbour_lost()), "", "bar", 1, 0, 0}});
}

// The first two processors that this process may use: one for the worker, one for the measuring thread.
std::string lcores() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<int> processors;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) processors.push_back(cpu);
  if (processors.size() < 2) throw std::runtime_error("needs two processors");
  return fmt::format("--lcores=0@{},1@{}", processors[0], processors[1]);
}

}  // namespace
}  // namespace foreflow::pipeline

int main(int argc, char** argv) {
  try {
    const foreflow::bench::PrivateEal eal({foreflow::pipeline::lcores(), "--main-lcore=0"});
    return foreflow::pipeline::measure(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 2;
  }
}
