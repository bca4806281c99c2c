// SPDX-License-Identifier: Apache-2.0
// How much a VM asks for: its forecast with hysteresis, so that limits follow a rise at once and do not flap.
// Place: host/allocate, between the forecast service and allocate(). Pure: the state goes in and comes out, integers
// only. The hysteresis acts on the want alone, never on the grant.
#pragma once
#include <cstdint>
#include <optional>

#include "common/units.h"

namespace foreflow::allocate {

struct WantConfig {
  std::uint32_t deadband_permille = 250;                // a fall within this share of the want is ignored
  std::uint64_t hold_ns = 2 * 3'600 * kNanosPerSecond;  // a deeper fall must last this long before the want falls
  std::uint32_t limited_permille = 1'250;               // of the installed limit: what a limited VM wants at least
};

struct WantInput {
  UnixNanos now;
  BytesPerSecond demand;            // forecast quantile of the VM's tier
  BytesPerSecond floor;             // never want less; 0 = none
  BytesPerSecond cap = kUnlimited;  // never want more; wins over the floor
  BytesPerSecond installed;         // PIR in force; 0 = none yet
  bool limited = false;             // the meter drops or delays: demand is only a lower bound; the want may not fall
  bool known = true;                // false: there is no forecast; the want may rise, never fall
  bool contended = false;           // a link that it crosses is short: give back at once
};

// Demand is well below the want. When the want may fall, and to what: the highest demand since this began.
struct Fall {
  UnixNanos until;
  BytesPerSecond highest;
  bool operator==(const Fall&) const = default;
};

struct WantState {
  BytesPerSecond want;
  std::optional<Fall> fall;
  bool operator==(const WantState&) const = default;
};

// `previous`: nullopt at a VM's first cycle. Same inputs, same bits.
WantState next_want(const WantConfig& config, const std::optional<WantState>& previous, const WantInput& input);

}  // namespace foreflow::allocate
