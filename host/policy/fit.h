// SPDX-License-Identifier: Apache-2.0
// What of a kept policy still fits a configuration that has changed under it.
// Place: host/policy, for a start or a reload: nobody is there to be asked. Pure.
#pragma once
#include <string>
#include <vector>

#include "host/policy/effective.h"

namespace foreflow::policy {

struct Fitted {
  Document document;
  std::vector<std::string> left_out;  // which rule, and why
};

// All of it where the fleet is possible with it at `now`; else rule after rule, without those that make it impossible.
Fitted fit(const model::Fleet& configured, const Document& document, UnixNanos now);

}  // namespace foreflow::policy
