// SPDX-License-Identifier: Apache-2.0
// What stands against a policy, before anything of it is applied; and what it would change.
// Place: host/policy. Pure.
#pragma once
#include <string>
#include <vector>

#include "host/policy/effective.h"

namespace foreflow::policy {

// Every reason once, with the places of all rules involved: names of nobody, conflicts, a fleet that would be
// impossible (model::objections) now or when any of its events or maintenance windows begins.
std::vector<std::string> check(const model::Fleet& configured, const Document& document, UnixNanos now);

struct Change {
  std::string what;    // "vm web cap egress"
  std::string before;  // empty: was not there
  std::string after;   // empty: is not there any more
  bool operator==(const Change&) const = default;
};

// What differs between two policies over the same fleet at `now`, events and windows themselves included.
std::vector<Change> difference(const model::Fleet& configured, const Document& before, const Document& after,
                               UnixNanos now);

}  // namespace foreflow::policy
