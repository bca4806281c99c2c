// SPDX-License-Identifier: Apache-2.0
// 100 configurations per second while a VM is at its cap: 30 s of packet time, so that the machine's speed does not
// matter to the rate. Every packet names its VM in the payload and is looked at where it arrives. Cost: processor time
// of the packet path, swaps adopted and not, in turn.
#include <cmath>
#include <cstring>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>

#include "tests/bench/figures.h"
#include "tests/bench/private_eal.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint64_t kSeconds = 30;
constexpr std::uint64_t kStepsPerSecond = 1'000;
constexpr std::uint64_t kSwapEvery = 10;     // steps
constexpr std::uint64_t kCap = 125'000'000;  // bytes/s
constexpr int kOffered = 250;                // frames of each VM in a step, twice the cap
constexpr std::size_t kFrame = 1'000;
constexpr MacAddress kGateway = mac(0xfe);

wire::DesiredState three_vms() {
  wire::DesiredState desired;
  for (std::uint8_t i = 1; i <= 3; ++i)
    desired.vms.push_back({VmId{i}, fmt::format("vm{}", i), {{fmt::format("port{}", i), mac(i), Segment{0}}}});
  desired.intents = {{IntentId{1}, 0, wire::Demand::kSoftware,
                      wire::Police{VmId{1}, Direction::kIngress, {kCap}, {kCap}, {kCap / 20}, {kCap / 20}}}};
  return desired;
}

class Bench {
 public:
  struct Second {
    double cpu_ms = 0;      // of the worker
    double control_ms = 0;  // of the thread that makes the snapshots
    std::uint64_t passed_bytes = 0;
  };

  Bench() { bed_.apply(desired_); }

  Second second(bool swaps) {
    Second result;
    bed_.report();
    for (std::uint64_t step = 0; step < kStepsPerSecond; ++step) {
      offer();
      const bool swapping = swaps && step % kSwapEvery == 0;
      if (swapping) result.control_ms += bench::cpu_ms([&] { begin_swap(); });
      now_ns_ += Testbed::kSecond / kStepsPerSecond;
      result.cpu_ms += bench::cpu_ms([&] { bed_.run_at(now_ns_); });
      if (swapping) result.control_ms += bench::cpu_ms([&] { end_swap(); });
      for (std::uint8_t vm = 1; vm <= 3; ++vm) check(vm);
    }
    result.passed_bytes = sample_of(bed_.report(), VmId{1}).directions[index(Direction::kIngress)].passed_bytes;
    return result;
  }
  std::uint64_t wrong() const { return wrong_; }
  std::uint64_t lost() const { return offered_to_second_ - seen_at_second_; }

 private:
  void offer() {
    for (int i = 0; i < kOffered; ++i) {
      bed_.put("uplink", 0, to_first_);
      bed_.put("uplink", 0, to_second_);
      ++offered_to_second_;
    }
  }
  // Another VM comes or goes, and its limits change.
  void begin_swap() {
    auto next = desired_;
    next.generation = Generation{++generation_};
    if (generation_ % 2 == 0) next.vms.pop_back();
    next.intents.push_back(
        {IntentId{2}, 0, wire::Demand::kSoftware,
         wire::Police{VmId{3}, Direction::kEgress, {generation_}, {2 * generation_}, {4'000}, {4'000}}});
    bed_.configurator().begin(next);
    bed_.reporter().follow();
  }
  void end_swap() {
    if (!bed_.configurator().finish()) throw std::runtime_error("the grace period does not end");
  }
  void check(std::uint8_t vm) {
    const auto mark = fmt::format("vm {}", vm);
    for (const auto& frame : bed_.sent(fmt::format("port{}", vm))) {
      if (std::memcmp(frame.data() + 42, mark.data(), mark.size()) != 0) ++wrong_;
      if (vm == 2) ++seen_at_second_;
    }
  }

  Testbed bed_{1, {{"port1"}, {"port2"}, {"port3"}, {"uplink", config::PortRole::kUplink}}};
  wire::DesiredState desired_ = three_vms();
  FrameBytes to_first_ = make_frame({.source = kGateway, .destination = mac(1), .payload = "vm 1", .size = kFrame});
  FrameBytes to_second_ = make_frame({.source = kGateway, .destination = mac(2), .payload = "vm 2", .size = kFrame});
  std::uint64_t now_ns_ = Testbed::kSecond;
  std::uint64_t generation_ = 1;
  std::uint64_t wrong_ = 0, offered_to_second_ = 0, seen_at_second_ = 0;
};

int measure(int argc, char** argv) {
  Bench bench;
  bench.second(false);  // the burst is spent
  std::vector<double> steady, swapping, control;
  std::uint64_t steady_bytes = 0, swapping_bytes = 0;
  for (std::uint64_t i = 0; i < kSeconds; ++i) {
    const auto without = bench.second(false);
    const auto with = bench.second(true);
    steady.push_back(without.cpu_ms), swapping.push_back(with.cpu_ms), control.push_back(with.control_ms);
    steady_bytes += without.passed_bytes, swapping_bytes += with.passed_bytes;
  }
  const auto cost = bench::summarise(swapping);
  const auto mbit = [](std::uint64_t bytes) { return static_cast<double>(bytes) * 8e-6 / kSeconds; };
  const auto apart = std::abs(mbit(swapping_bytes) - mbit(steady_bytes)) / mbit(steady_bytes);
  return bench::report(argc, argv,
                       {{"packet path with 100 swaps per second", cost.median, "ms/s", "without",
                         bench::summarise(steady).median, 1.05, cost.spread},
                        {"control thread, 100 swaps", bench::summarise(control).median, "ms/s", "", 0, 0, 0},
                        {"rate of the capped VM, apart from without", apart * 100, "%", "bar", 0.5, 1},
                        {"rate of the capped VM", mbit(swapping_bytes), "Mbit/s", "cap", kCap * 8e-6, 1.005},
                        {"packets at the wrong VM", static_cast<double>(bench.wrong()), "", "bar", 1, 0},
                        {"packets that the other VM lost", static_cast<double>(bench.lost()), "", "bar", 1, 0}});
}

}  // namespace
}  // namespace foreflow::pipeline

int main(int argc, char** argv) {
  try {
    const foreflow::bench::PrivateEal eal;
    return foreflow::pipeline::measure(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 2;
  }
}
