// SPDX-License-Identifier: Apache-2.0
// Limits that act on the traffic they are learned from: VMs on a link that is too small, whose senders give way.
// Place: host/app/backtest, for `closed-loop`; rounds, doubts and regret are the manager's own.
#pragma once
#include <cstdint>
#include <limits>
#include <string>

#include "common/result.h"
#include "host/app/backtest/contention.h"

namespace foreflow::backtest {

struct Loop {
  double capacity = .7;   // of the sum of p99s
  double guarantee = .6;  // of the capacity, in proportion to p99
  bool lending = false;   // the device lends what is unused
  bool closed = true;     // a limited sender offers what passes and a twentieth more; else all that it would send
  double scale = 1;       // of forecasts from `bad_from` on: a model that is wrong
  bool regret = true;     // absurd forecasts narrow nothing, limits that serve less than those before are taken back
  std::size_t bad_from = 0;
  std::size_t first = 1;                                       // steps before it are history; at least one
  std::size_t last = std::numeric_limits<std::size_t>::max();  // steps from it on are not played
  std::uint64_t hold_steps = 24;                               // of the want
  std::uint64_t step_ns = 300 * kNanosPerSecond;
};

struct LoopFigures {
  double demand = 0;  // bytes per second, summed over steps
  double unserved = 0;
  std::uint64_t vm_steps = 0;
  std::uint64_t limited_steps = 0;  // VM steps in which the limit cut something off
  std::uint64_t sunk = 0;           // of those: its want was less in the next step
  std::uint64_t reversals = 0;      // sign changes of CIR changes above 5 %
  double cir = 0;                   // summed over VM steps, bytes per second
  std::uint64_t rollbacks = 0;
  LoopFigures& operator+=(const LoopFigures& other);
};

// Errors: those of allocate::solve(), with link and step.
Result<LoopFigures> run_loop(const SharedLink& link, const Loop& loop);

}  // namespace foreflow::backtest
