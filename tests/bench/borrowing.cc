// SPDX-License-Identifier: Apache-2.0
// How fast a lent guarantee comes back: 64 greedy VMs, one of them goes from nothing to its CIR, 1,000 times with other
// phases and rates. Packet time, so the machine's speed does not matter.
#include "tests/support/borrowing.h"

#include <algorithm>

#include <fmt/format.h>

#include "tests/bench/figures.h"

namespace foreflow {
namespace {

constexpr std::uint64_t kSteps = 1'000;
constexpr double kBarMicros = 1'000;

std::vector<bench::Figure> measure(std::size_t workers) {
  std::vector<std::uint64_t> settled;
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= kSteps; ++seed) {
    const auto step = test::take_step({.workers = workers}, seed);
    settled.push_back(step.settled_ns);
    lost += step.lost_bytes;
  }
  std::sort(settled.begin(), settled.end());
  const auto micros = [&](std::size_t part) { return static_cast<double>(settled[part * kSteps / 100 - 1]) / 1'000; };
  return {{fmt::format("borrowers give way, p50, {} worker(s)", workers), micros(50), "us", "bar", kBarMicros, 1},
          {fmt::format("borrowers give way, p99, {} worker(s)", workers), micros(99), "us", "bar", kBarMicros, 1},
          {fmt::format("guaranteed bytes lost, {} worker(s)", workers), static_cast<double>(lost), "B", "none", 1, 0}};
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  auto figures = foreflow::measure(1);
  for (auto& figure : foreflow::measure(3)) figures.push_back(std::move(figure));
  return foreflow::bench::report(argc, argv, figures);
}
