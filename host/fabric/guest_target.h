// SPDX-License-Identifier: Apache-2.0
// What the domains of one host shall have of its CPUs and memory.
// Place: host/fabric. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/units.h"
#include "host/fabric/actuator.h"
#include "host/guest/control.h"

namespace foreflow::fabric {

// What is nullopt stays as it is.
struct GuestLimit {
  VmId vm;
  std::string uuid;
  std::optional<guest::CpuMicros> cpu;
  std::optional<std::uint32_t> vcpus;
  std::optional<Bytes> memory;
  bool operator==(const GuestLimit&) const = default;
};

struct GuestTarget {
  std::string device;  // the host
  std::vector<GuestLimit> limits;
  bool operator==(const GuestTarget&) const = default;
};

struct GuestEnforcement {
  GuestLimit asked;
  std::optional<guest::Limits> found;  // what the hypervisor says it has; nullopt: it could not be asked
  std::string cpu_error;               // of the newest change of quota or vCPUs; empty: none
  std::string memory_error;            // and of its memory
};

struct GuestReadBack {
  std::vector<GuestEnforcement> enforcements;
};

using GuestActuator = BasicActuator<GuestTarget, GuestReadBack>;

}  // namespace foreflow::fabric
