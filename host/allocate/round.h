// SPDX-License-Identifier: Apache-2.0
// One round of allocation on one uplink: from forecasts and policy to shares. All that decides is in here as integers,
// so that a round that was written down gives the same bits again, on any platform.
// Place: host/allocate; the manager's cycle, its audit, its counterfactuals and simulations all call solve(). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "host/allocate/allocate.h"
#include "host/allocate/want.h"

namespace foreflow::allocate {

// A tenant: what its members share on the uplink.
struct Pool {
  std::string name;
  BytesPerSecond guarantee;
  BytesPerSecond cap = kUnlimited;
  bool operator==(const Pool&) const = default;
};

// A VM in the round's direction.
struct Member {
  VmId vm;
  std::uint8_t tier = 0;
  std::uint32_t weight = 1;
  std::uint32_t pool = 0;  // 1 + index into the pools; 0 = none
  BytesPerSecond guarantee;
  BytesPerSecond cap = kUnlimited;
  BytesPerSecond least;               // want at least
  BytesPerSecond most = kUnlimited;   // want at most; wins
  std::uint64_t hold_ns = 0;          // before a want falls
  BytesPerSecond demand;              // forecast quantile of the tier
  BytesPerSecond peak;                // q.999 of the forecast
  bool limited = false;               // the meter drops or delays
  bool known = true;                  // the forecast may be believed: the want may fall
  std::optional<WantState> previous;  // of the last round
  BytesPerSecond installed;           // PIR in force; 0 = none
  bool enforced = true;               // where the round is damped: what it is given is gone for others
  bool operator==(const Member&) const = default;
};

// Of what is not there as soon as somebody shall give it back: a host's memory.
struct Damping {
  BytesPerSecond room;         // free now; what is in force rises by no more than this together
  std::uint64_t slowest = 20;  // and falls by at most one part in so many
  bool operator==(const Damping&) const = default;
};

struct Round {
  UnixNanos now;
  BytesPerSecond capacity;
  std::string link;     // its name, for messages
  bool lending = true;  // the device lends what is unused
  WantConfig want;      // hold_ns is each member's own
  std::vector<Pool> pools;
  std::vector<Member> members;  // in order of VmId
  std::optional<Damping> damping;
};

struct Outcome {
  WantState state;
  BytesPerSecond guarantee;  // its own and its part of the pool's
  Share share;
  std::optional<BytesPerSecond> damped;  // of its CIR, what shall be in force now; nullopt: the round is not damped
  bool operator==(const Outcome&) const = default;

  BytesPerSecond limit() const { return damped.value_or(share.pir); }
};

struct Solved {
  Problem problem;                // link 0 is the uplink, then the pools with a cap
  std::vector<Outcome> outcomes;  // one per member
};

// Wants with hysteresis; where they do not fit the uplink or a pool, those who hold more than they need give back at
// once. What a pool is guaranteed beyond its members' guarantees goes to those who want it, by weight. The solution is
// certified, then damped where the round says so, in order of the members. kInvalidArgument: as allocate(); kInternal:
// as certify().
Result<Solved> solve(const Round& round);

}  // namespace foreflow::allocate
