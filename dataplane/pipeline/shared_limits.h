// SPDX-License-Identifier: Apache-2.0
// What workers share when they police: the uplinks' capacity and the tenants' caps. Outside the snapshot, so that a new
// configuration never refills anything.
// Place: dataplane/pipeline. Levels are written by workers, capacities by the control thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "common/meter/lending.h"
#include "common/meter/residual.h"
#include "common/wire/limits.h"

namespace foreflow::pipeline {

// A tenant within this process; stable while it has VMs here.
using GroupSlot = std::uint16_t;
inline constexpr GroupSlot kNoGroup = 0xffff;

struct UplinkLimits {
  std::array<meter::Residual, kDirections> residuals;
  std::array<meter::Lending, kDirections> lending;
};

struct GroupLimits {
  std::array<meter::Residual, kDirections> residuals;
};

struct SharedLimits {
  SharedLimits(std::size_t uplink_count, std::size_t workers) : uplinks(uplink_count), groups(wire::kMostGroups) {
    for (auto& uplink : uplinks)
      for (auto& lending : uplink.lending) lending = meter::Lending(workers);
  }
  std::vector<UplinkLimits> uplinks;
  std::vector<GroupLimits> groups;  // by GroupSlot
};

}  // namespace foreflow::pipeline
