// SPDX-License-Identifier: Apache-2.0
// May a forecast narrow limits? Not when it is absurd beside what is seen, and not when the limits it led to turn out
// worse than those before: then these come back ("rollback on regret").
// Place: host/allocate; the planner and the closed-loop simulation ask it before each round. Integers only.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "common/ids.h"
#include "common/units.h"

namespace foreflow::allocate {

enum class Doubt : std::uint8_t {
  kNone,
  kTooLow,   // less than half of what was seen last
  kTooHigh,  // more than four times the uplink
};
Doubt doubt(BytesPerSecond demand, BytesPerSecond last, BytesPerSecond capacity);

// One VM's limits, what led to them, and what it then sent.
struct Load {
  VmId vm;
  BytesPerSecond cir;
  BytesPerSecond pir;
  BytesPerSecond want;
  BytesPerSecond offered;
};

// What these limits leave unserved of what is offered. A device that lends serves up to CIR first and shares the rest
// of the capacity up to PIR; one that cannot serves up to PIR.
std::uint64_t unserved(std::span<const Load> loads, BytesPerSecond capacity, bool lending);

struct RegretConfig {
  std::size_t cycles = 6;      // how far back "before" is
  std::uint32_t permille = 5;  // of what is offered: more unserved than before is regretted
  // How long forecasts then narrow nothing that was taken back; twice as long each time that it happens again within
  // the longest of these times.
  std::uint64_t hold_ns = 3'600 * kNanosPerSecond;
  std::uint64_t longest_hold_ns = 86'400 * kNanosPerSecond;
};

// Of one uplink and direction. Thread safety: none.
class Regret {
 public:
  explicit Regret(const RegretConfig& config = {}) : config_(config) {}

  struct Verdict {
    std::uint64_t unserved = 0;  // bytes per second, under the limits in force
    std::uint64_t before = 0;    // and under those of before
    std::size_t restored = 0;    // VMs whose former want is held from now on
  };
  // The loads of the cycle that has ended, in order of VmId, once each. A verdict when the limits in force served less
  // than the oldest of the last `cycles`: whoever has less since gets his want of then held. VMs that were not there
  // then are judged by what they have.
  std::optional<Verdict> judge(UnixNanos now, std::vector<Load> loads, BytesPerSecond capacity, bool lending);

  // The want that is held for a VM; nullopt: none.
  std::optional<BytesPerSecond> held(VmId vm, UnixNanos now) const;

 private:
  struct Held {
    BytesPerSecond want;
    UnixNanos until;
    std::uint64_t length_ns = 0;
  };
  RegretConfig config_;
  std::deque<std::vector<Load>> past_;  // newest last
  std::map<VmId, Held> held_;           // also those that are over, for as long as they make the next one longer
};

}  // namespace foreflow::allocate
