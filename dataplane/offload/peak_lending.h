// SPDX-License-Identifier: Apache-2.0
// How much of an uplink each VM may use when a device meters it: what others leave unused, by weight.
// Place: dataplane/offload. Pure arithmetic on what was offered lately.
//
// A device's two-rate meter passes yellow blindly, so the peak itself has to say what is lent: it is re-rated again and
// again from the demand, which the rules count before the meter. Weighted max-min (Bertsekas and Gallager, Data
// Networks, 6.5.2), like common/meter/lending.h, which decides packet by packet.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/units.h"

namespace foreflow::offload {

// One VM and direction.
struct PeakClaim {
  BytesPerSecond cir;
  BytesPerSecond cap;  // the peak that was asked for, >= cir
  std::uint32_t weight = 1;
  BytesPerSecond offered;  // lately, before the meter
};

// One peak per claim, in order, from cir to cap. Who offers more than he gets has cir and his share by weight of what
// is left of `capacity`; who offers less may grow to that share, or by all that nobody uses. So the hungry together
// fill the capacity, and whoever starts to send is slowed down by nothing but his share until the next round.
std::vector<BytesPerSecond> lend_peaks(std::span<const PeakClaim> claims, BytesPerSecond capacity);

}  // namespace foreflow::offload
