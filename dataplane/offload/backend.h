// SPDX-License-Identifier: Apache-2.0
// A device that can enforce intents, seen from the Enforcer; what it refuses is enforced in the pipeline.
// Place: dataplane/offload. Thread safety: control thread only.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/offload/flow_offload.h"
#include "dataplane/offload/intent.h"

namespace foreflow::offload {

class OffloadBackend {
 public:
  virtual ~OffloadBackend() = default;

  // Removes what a former process left behind in the devices of these ports, as far as this object has not used them
  // yet. Before probe(), because leftovers stand in the canary's way. Returns how many meters that were (a device does
  // not say how many rules a flush removed).
  virtual Result<std::size_t> reconcile(const std::vector<std::uint16_t>& port_ids) = 0;

  // Finds out by canary (create, count, destroy), never by validation alone, what the given ports can do.
  virtual wire::Capabilities probe(const std::vector<std::uint16_t>& port_ids) = 0;

  // One result per member of `delta.set`, in order. A refused intent leaves what was installed before it untouched.
  // A changed rate is updated in place: no rule is removed and no bucket refilled. Removal that the device refuses is
  // tried again by each later call.
  virtual std::vector<wire::IntentResult> apply(const IntentDelta& delta) = 0;

  // Totals since each intent was installed; one entry per installed intent. A failed read is left out.
  virtual std::vector<wire::IntentStats> read_stats() = 0;

  // The device has something of this intent, wanted or not. False is the confirmation that a removed intent is gone.
  virtual bool holds(IntentId id) const = 0;

  // Null: the device carries no flows.
  virtual FlowOffload* flows() { return nullptr; }

  // How the intent is enforced, for an operator: rules, groups, meter ids, rates on the device's grid.
  virtual std::optional<std::string> explain(IntentId id) const = 0;
};

}  // namespace foreflow::offload
