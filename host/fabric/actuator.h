// SPDX-License-Identifier: Apache-2.0
// Whatever can be told to enforce allocations: dataplanes today; switches and hypervisors take the same four calls.
// Place: host/fabric, between the allocation cycle and the devices.
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

// Thread safety: all members from any thread; none waits for a device.
class Actuator {
 public:
  virtual ~Actuator() = default;
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

}  // namespace foreflow::fabric
