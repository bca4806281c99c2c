// SPDX-License-Identifier: Apache-2.0
// Traffic rules of a policy that contradict each other.
// Place: host/policy, part of check.h. Pure.
#pragma once
#include <string>
#include <vector>

#include "host/model/fleet.h"
#include "host/policy/document.h"

namespace foreflow::policy {

// Of one priority two rules that a packet of the same VM can match, and that do different things; with both places.
std::vector<std::string> rule_conflicts(const model::Fleet& fleet, const Document& document);

}  // namespace foreflow::policy
