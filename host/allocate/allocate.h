// SPDX-License-Identifier: Apache-2.0
// Who gets how much: weighted max-min with guarantees, tiers and caps over shared links, in integers.
// Place: host/allocate. Pure: the same problem gives the same bits on every platform.
// Source: max-min fairness by progressive filling, Bertsekas & Gallager, Data Networks, 6.5.2.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/units.h"

namespace foreflow::allocate {

using LinkIndex = std::uint32_t;

inline constexpr std::uint32_t kPromisablePercent = 90;  // of a link's capacity: the most that sum of CIR may reach

struct Link {
  BytesPerSecond capacity;                                // kUnlimited = no constraint
  std::string name;                                       // "uplink0 egress", for messages; empty = "link <index>"
  std::uint32_t promisable_percent = kPromisablePercent;  // 100 where nothing but the claims uses it: a tenant's cap
};

inline constexpr std::uint32_t kMostWeight = 1'000'000;

// One VM in one direction.
struct Claim {
  VmId vm;
  std::uint8_t tier = 0;     // 0 is served first
  std::uint32_t weight = 1;  // within the tier, and for the spare; <= kMostWeight; 0 = its guarantee and no more
  BytesPerSecond guarantee;
  BytesPerSecond cap = kUnlimited;
  BytesPerSecond want;           // forecast quantile of the tier, after hysteresis and clamps
  BytesPerSecond peak;           // q.999; the limit up to which it may burst
  std::vector<LinkIndex> links;  // shared links that it crosses, each once
};

// Why the grant is not larger.
enum class Binding : std::uint8_t {
  kWant,           // it has all it wants
  kCap,            // its policy's cap
  kLink,           // a shared link is full
  kGuaranteeOnly,  // weight 0
};
std::string_view to_string(Binding binding);

struct Share {
  VmId vm;
  BytesPerSecond grant;  // of what it wants
  BytesPerSecond cir;    // max(guarantee, grant): "allocation" in CLI and figures
  BytesPerSecond pir;    // >= cir, <= cap
  Binding binding = Binding::kWant;
  LinkIndex link = 0;  // when binding is kLink
  bool operator==(const Share&) const = default;
};

struct Problem {
  std::vector<Link> links;
  std::vector<Claim> claims;  // any order: it does not change who gets what
  bool lending = false;       // the dataplane lends unused guarantees by itself (else hard mode)
};

// One share per claim, in order of the claims. Per link: sum of CIR <= what can be promised; without lending also sum
// of PIR <= the capacity. What rounding leaves on a full link (< 1 byte/s per claim) is given to nobody.
// kInvalidArgument: guarantees exceed what a link can promise, cap < guarantee, weight or link out of range; the
// message names VM and link. Cost: n log n in the number of (claim, link) pairs.
Result<std::vector<Share>> allocate(const Problem& problem);

// How amounts of a problem are written: of its unit.
using AmountText = std::string (*)(BytesPerSecond);

// For people, one line per share of allocate(problem): "all it wants", "its cap of 50 Mbit/s",
// "limited by uplink0 egress (900 Mbit/s to promise, 450 Mbit/s of guarantees)".
std::vector<std::string> explain(const Problem& problem, const std::vector<Share>& shares,
                                 AmountText text = format_rate);

}  // namespace foreflow::allocate
