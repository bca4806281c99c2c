// SPDX-License-Identifier: Apache-2.0
// What a benchmark reports: our figure beside a peer's, the ratio of both and the bar that it must hold.
// Place: tests/bench; every benchmark program ends in report().
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace foreflow::bench {

// Lower is better for every unit here ("ns/packet", "ns/burst").
struct Figure {
  std::string figure;
  double value = 0;  // median
  std::string unit;
  std::string peer;
  double peer_value = 0;  // median, measured in the same run, in turn
  double bar = 0;         // most that value / peer_value may be
  double spread = 0;      // (90th - 10th percentile) / median of our own rounds
  double ratio() const { return peer_value > 0 ? value / peer_value : 0; }
  bool holds() const { return ratio() <= bar; }
};

struct Timing {
  double median = 0;
  double spread = 0;
};

Timing summarise(std::vector<double> rounds);

// Processor time of this thread that `work` takes, in ms.
double cpu_ms(const std::function<void()>& work);

// Subject and peer in turn on the same workload, `rounds` times each; a round does `operations` operations. Processor
// time of this thread, nanoseconds per operation, so that a loaded machine distorts little.
struct Duel {
  Timing subject;
  Timing peer;
};
Duel duel(std::size_t rounds, std::size_t operations, const std::function<void()>& subject,
          const std::function<void()>& peer);

// Keeps the optimiser from removing what computes `value`.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "m"(value) : "memory");
}

// Prints a table, writes `--json FILE` where argv names one, and returns the process's exit status (0 = every bar
// held).
int report(int argc, char** argv, const std::vector<Figure>& figures);

}  // namespace foreflow::bench
