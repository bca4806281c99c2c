// SPDX-License-Identifier: Apache-2.0
// Who gets how much: weighted max-min with guarantees, tiers and caps over shared links, in integers.
// Place: host/allocate. Pure: the same problem gives the same bits on every platform.
// Source: max-min fairness by progressive filling, Bertsekas & Gallager, Data Networks, 6.5.2.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/units.h"

namespace foreflow::allocate {

using LinkIndex = std::uint32_t;

struct Link {
  BytesPerSecond capacity;
};

// One VM in one direction.
struct Claim {
  VmId vm;
  std::uint8_t tier = 0;     // 0 is served first
  std::uint32_t weight = 1;  // within the tier, and for the spare; 0 = only its guarantee
  BytesPerSecond guarantee;
  BytesPerSecond cap = kUnlimited;
  BytesPerSecond want;           // forecast quantile of the tier, after hysteresis and clamps
  BytesPerSecond peak;           // q.999; the limit up to which it may burst
  std::vector<LinkIndex> links;  // shared links that it crosses
};

enum class Binding : std::uint8_t { kWant, kCap, kLink };  // why the grant is not larger
std::string_view to_string(Binding binding);

struct Share {
  VmId vm;
  BytesPerSecond grant;
  BytesPerSecond cir;  // max(guarantee, grant): "allocation" in CLI and figures
  BytesPerSecond pir;
  Binding binding = Binding::kWant;
  LinkIndex link = 0;  // when binding is kLink
};

struct Problem {
  std::vector<Link> links;
  std::vector<Claim> claims;  // in order of VmId
  bool lending = false;       // the dataplane lends unused guarantees by itself (else hard mode)
};

// One share per claim, in order. kInvalidArgument: guarantees exceed .9 x a link's capacity, cap < guarantee, weight or
// link out of range; the message names VM and link.
Result<std::vector<Share>> allocate(const Problem& problem);

}  // namespace foreflow::allocate
