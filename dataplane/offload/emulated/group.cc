// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/group.h"

#include <algorithm>

namespace foreflow::offload::emulated {

Rule* Group::find(const PacketKey& key) const {
  Rule* best = nullptr;
  for (const auto& tuple : tuples_) {
    if (best != nullptr && best->priority <= tuple.strongest()) break;
    const auto it = tuple.rules.find(key.masked(tuple.mask));
    if (it == tuple.rules.end()) continue;
    if (best == nullptr || it->second.front()->priority < best->priority) best = it->second.front();
  }
  return best;
}

bool Group::insert(Rule& rule) {
  auto tuple = std::find_if(tuples_.begin(), tuples_.end(), [&](const Tuple& t) { return t.mask == rule.mask; });
  if (tuple == tuples_.end()) tuple = tuples_.insert(tuples_.end(), Tuple{.mask = rule.mask});
  auto& same = tuple->rules[rule.value];
  const auto weaker = [](const Rule* a, std::uint32_t priority) { return a->priority < priority; };
  const auto place = std::lower_bound(same.begin(), same.end(), rule.priority, weaker);
  if (place != same.end() && (*place)->priority == rule.priority) return false;
  same.insert(place, &rule);
  ++tuple->priorities[rule.priority];
  sort();
  return true;
}

void Group::remove(Rule& rule) {
  const auto tuple = std::find_if(tuples_.begin(), tuples_.end(), [&](const Tuple& t) { return t.mask == rule.mask; });
  if (tuple == tuples_.end()) return;
  const auto same = tuple->rules.find(rule.value);
  if (same == tuple->rules.end() || std::erase(same->second, &rule) == 0) return;
  if (same->second.empty()) tuple->rules.erase(same);
  if (const auto left = tuple->priorities.find(rule.priority); --left->second == 0) tuple->priorities.erase(left);
  if (tuple->rules.empty()) tuples_.erase(tuple);
  sort();
}

void Group::sort() {
  if (std::is_sorted(tuples_.begin(), tuples_.end(),
                     [](const Tuple& a, const Tuple& b) { return a.strongest() < b.strongest(); })) {
    return;
  }
  std::stable_sort(tuples_.begin(), tuples_.end(),
                   [](const Tuple& a, const Tuple& b) { return a.strongest() < b.strongest(); });
}

}  // namespace foreflow::offload::emulated
