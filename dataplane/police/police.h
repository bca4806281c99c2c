// SPDX-License-Identifier: Apache-2.0
// Decides which packets of one VM's burst pass: its two-rate meter, its tenant's cap, and what the uplink lends.
// Place: dataplane/police. Arithmetic only: no port, no packet, no clock. Thread safety: the VM's owner calls.
#pragma once
#include <cstdint>
#include <span>

#include "common/meter/lending.h"
#include "common/meter/residual.h"
#include "common/meter/two_rate.h"

namespace foreflow::police {

struct Offer {
  std::uint32_t size = 0;    // L2 bytes without FCS at the VM's port
  bool over_uplink = false;  // crosses the uplink, so its capacity is charged
  bool passes = false;       // the answer
};

// What stands in the way of one VM and direction. Everything may be null.
struct Limits {
  meter::TwoRateMeter* meter = nullptr;  // null: no limit, or the device meters; everything is green
  meter::Residual* uplink = nullptr;     // null when no packet of the burst crosses one
  meter::Residual* group = nullptr;      // the cap that the VM shares with others of its tenant
  // Weighted sharing of what the uplink lends; both or none.
  meter::Lender* lender = nullptr;
  meter::Borrower* borrower = nullptr;
};

// Green always passes and is charged. Yellow passes while its tenant's cap has room for it, and over the uplink while
// the residual lends and the VM's share is not used up. Red never passes. Between local VMs nothing is charged to the
// uplink. Each shared residual is read once and written at most once, but the tenant's again when another worker
// charged it meanwhile: its cap is exact.
void decide(const Limits& limits, std::span<Offer> burst, std::uint64_t now_ns) noexcept;

}  // namespace foreflow::police
