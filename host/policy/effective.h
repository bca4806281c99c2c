// SPDX-License-Identifier: Apache-2.0
// What a policy comes to at a given time: the configured fleet with every rule laid over it.
// Place: host/policy. Pure.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/model/fleet.h"
#include "host/policy/document.h"

namespace foreflow::policy {

struct Effective {
  model::Fleet fleet;                // its origins name the rule that won
  std::set<std::string> patched;     // VMs that a rule speaks of
  std::set<std::string> frozen;      // dataplanes whose limits stay as they are
  std::optional<UnixNanos> until;    // when it may be another; nullopt: never
  std::vector<std::string> running;  // "event launch", "maintenance dpu0-firmware"
  std::vector<std::string> conflicts;
};

// Laid over each other, the later wins: configuration, rules with a pattern, rules for one VM, running events. Two
// rules of one of these that say different things about the same key of the same VM are a conflict (the later in the
// document holds), reported with both places. Tiers and groups replace configured ones of the same name.
Effective effective(const model::Fleet& configured, const Document& document, UnixNanos time);

// Is `name` meant by `pattern`, with * and ?
bool matches(const std::string& pattern, const std::string& name);

}  // namespace foreflow::policy
