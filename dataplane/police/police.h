// SPDX-License-Identifier: Apache-2.0
// Decides which packets of one VM's burst pass: the two-rate meter, and what the uplink lends.
// Place: dataplane/police. Arithmetic only: no port, no packet, no clock. Thread safety: the VM's owner calls.
#pragma once
#include <cstdint>
#include <span>

#include "common/meter/residual.h"
#include "common/meter/two_rate.h"

namespace foreflow::police {

struct Offer {
  std::uint32_t size = 0;    // L2 bytes without FCS at the VM's port
  bool over_uplink = false;  // crosses the uplink, so its capacity is charged
  bool passes = false;       // the answer
};

// `meter` null: no limit, or the device meters; everything is green. `residual` may be null when no packet of the burst
// crosses an uplink. Green passes and is charged; yellow passes between local VMs always and over the uplink while the
// residual lends; red never. The shared residual is read at most once and written at most once.
void decide(meter::TwoRateMeter* meter, meter::Residual* residual, std::span<Offer> burst,
            std::uint64_t now_ns) noexcept;

}  // namespace foreflow::police
