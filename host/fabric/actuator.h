// SPDX-License-Identifier: Apache-2.0
// Whatever can be told to enforce allocations: dataplanes and hypervisors, and switches to come, take the same four
// calls. Place: host/fabric, between the allocation cycle and the devices.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/wire/messages.h"
#include "host/fabric/target.h"

namespace foreflow::fabric {

// One thing asked of a device and what became of it.
struct Enforcement {
  wire::Intent asked;
  std::optional<wire::IntentResult> result;  // nullopt until the device has answered
  wire::IntentStats stats;
};

struct ReadBack {
  Generation desired;
  Generation applied;
  std::vector<Enforcement> enforcements;
};

// `Target` is what a device shall do, `ReadBack` what became of it. An implementation says from which threads it may be
// called and whether it waits for devices; Actuator, for dataplanes, is thread safe and waits for none.
template <typename Target, typename ReadBack>
class BasicActuator {
 public:
  virtual ~BasicActuator() = default;
  // Could this target be enforced? Changes nothing.
  virtual Status verify(const Target& target) const = 0;
  // Makes `target` what the device shall do, now or when it comes back. A target that is not worth a push changes
  // nothing. Errors: those of verify(), kIo when the change cannot be kept across a restart.
  virtual Status apply(const Target& target) = 0;
  // kNotFound: nothing was ever applied to this device.
  virtual Result<ReadBack> read_back(const std::string& device) const = 0;
  // Goes back to the target before the present one; kNotFound when there is none.
  virtual Status revert(const std::string& device) = 0;
};

using Actuator = BasicActuator<Target, ReadBack>;

}  // namespace foreflow::fabric
