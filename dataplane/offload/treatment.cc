// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/treatment.h"

#include "common/wire/overlap.h"

namespace foreflow::offload {

bool may_overlap(const wire::Treatment& a, const wire::Treatment& b) {
  return a.vm == b.vm && a.direction == b.direction && wire::may_overlap(a.match, b.match);
}

CategorySet treated_categories(std::span<const SoftwareTreatment> treatments, VmId vm) {
  CategorySet treated;
  for (const auto& [intent, priority, what, mirror_port, steer_port, counters] : treatments)
    if (what.vm == vm && what.match.category) treated.set(index(*what.match.category));
  return treated;
}

const wire::Bypass* bypass_for(std::span<const wire::Bypass> bypasses, Category category) noexcept {
  const wire::Bypass* found = nullptr;
  for (const auto& bypass : bypasses)
    if (bypass.category == category || (!bypass.category && found == nullptr)) found = &bypass;
  return found;
}

}  // namespace foreflow::offload
