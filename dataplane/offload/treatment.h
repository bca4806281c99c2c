// SPDX-License-Identifier: Apache-2.0
// A treatment that the pipeline carries out, and which treatments have to be in one place.
// Place: dataplane/offload, between the Enforcer and the pipeline's snapshot.
#pragma once
#include <bitset>
#include <memory>
#include <optional>
#include <span>

#include "common/category.h"
#include "common/counter.h"
#include "common/wire/messages.h"
#include "dataplane/offload/steering.h"

namespace foreflow::offload {

// Since the treatment is in the pipeline. Writer: the worker that owns the VM; readers: the control thread.
struct TreatmentCounters {
  Counter packets;
  Counter bytes;
};

struct SoftwareTreatment {
  IntentId intent;
  std::uint32_t priority = 0;
  wire::Treatment what;
  std::optional<std::uint16_t> mirror_port;  // ethdev
  std::optional<std::uint16_t> steer_port;
  Steering steering() const { return {steer_port, what.queue_group, what.queue}; }
  std::shared_ptr<TreatmentCounters> counters;  // a snapshot may outlive the wish
};

// Is there a packet that both match? Such treatments are enforced in the same place, since only there the stronger one
// can win.
bool may_overlap(const wire::Treatment& a, const wire::Treatment& b);

// The applications of a VM that some treatment in the pipeline is meant for. Their flows have to stay there; which
// those are is known once a flow is recognised.
using CategorySet = std::bitset<kCategories>;
CategorySet treated_categories(std::span<const SoftwareTreatment> treatments, VmId vm);

// What holds for a flow of this category: its own rule, or else that for all flows; null: it stays in the pipeline.
const wire::Bypass* bypass_for(std::span<const wire::Bypass> bypasses, Category category) noexcept;

}  // namespace foreflow::offload
