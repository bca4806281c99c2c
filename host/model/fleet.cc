// SPDX-License-Identifier: Apache-2.0
#include "host/model/fleet.h"

#include <algorithm>

namespace foreflow::model {
namespace {

template <typename T>
void overlay(T& value, const std::optional<T>& patch) {
  if (patch) value = *patch;
}

template <typename T>
void overlay(std::optional<T>& value, const std::optional<T>& patch) {
  if (patch) value = patch;
}

template <typename Target>
void overlay_all(Target& target, const PolicyPatch& patch) {
  overlay(target.tier, patch.tier);
  overlay(target.group, patch.group);
  overlay(target.burst_ns, patch.burst_ns);
  overlay(target.shape, patch.shape);
  overlay(target.mode, patch.mode);
  overlay(target.bypass, patch.bypass);
  overlay(target.cpu, patch.cpu);
  overlay(target.memory, patch.memory);
  for (std::size_t i = 0; i < kDirections; ++i) {
    overlay(target.guarantee[i], patch.guarantee[i]);
    overlay(target.cap[i], patch.cap[i]);
    overlay(target.weight[i], patch.weight[i]);
    overlay(target.packets[i], patch.packets[i]);
    overlay(target.least[i], patch.least[i]);
    overlay(target.most[i], patch.most[i]);
  }
}

template <typename T>
const T* by_name(const std::vector<T>& items, std::string_view name) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kObserve:
      return "observe";
    case Mode::kRecommend:
      return "recommend";
    case Mode::kEnforce:
      return "enforce";
  }
  return "enforce";
}

Policy patched(Policy policy, const PolicyPatch& patch) {
  overlay_all(policy, patch);
  return policy;
}

PolicyPatch merged(PolicyPatch older, const PolicyPatch& newer) {
  overlay_all(older, newer);
  return older;
}

BytesPerSecond Dataplane::capacity(Direction direction) const {
  std::uint64_t sum = 0;
  for (const auto& uplink : uplinks)
    if (__builtin_add_overflow(sum, uplink.capacity[index(direction)].value, &sum)) return kUnlimited;
  return BytesPerSecond{sum};
}

std::string Fleet::said_at(const std::string& what) const {
  const auto found = origins.find(what);
  return found == origins.end() ? "" : " (" + found->second + ")";
}

const Tier* Fleet::tier(std::string_view name) const { return by_name(tiers, name); }
const Group* Fleet::group(std::string_view name) const { return by_name(groups, name); }
const Dataplane* Fleet::dataplane(std::string_view name) const { return by_name(dataplanes, name); }

}  // namespace foreflow::model
