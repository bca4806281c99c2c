// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/treatment.h"

#include <algorithm>

#include "common/wire/ipv4_number.h"

namespace foreflow::offload {
namespace {

// Two wishes for one field, where `none` means any value.
template <typename T>
bool agree(const T& a, const T& b, const T& none) {
  return a == none || b == none || a == b;
}

bool prefixes_meet(const wire::TrafficMatch& a, const wire::TrafficMatch& b) {
  const auto shared = std::min(a.remote_prefix, b.remote_prefix);
  if (shared == 0) return true;
  return ((wire::number_of(a.remote) ^ wire::number_of(b.remote)) >> (32 - shared)) == 0;
}

}  // namespace

bool may_overlap(const wire::Treatment& a, const wire::Treatment& b) {
  if (a.vm != b.vm || a.direction != b.direction) return false;
  return agree<std::uint8_t>(a.match.ip_protocol, b.match.ip_protocol, 0) &&
         agree<std::uint16_t>(a.match.local_port, b.match.local_port, 0) &&
         agree<std::uint16_t>(a.match.remote_port, b.match.remote_port, 0) &&
         agree<std::optional<Category>>(a.match.category, b.match.category, std::nullopt) &&
         prefixes_meet(a.match, b.match);
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
