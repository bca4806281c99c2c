// SPDX-License-Identifier: Apache-2.0
// Validators of plain protocols, by family: one table for each, so that a signature file finds them by name.
// Place: dataplane/classify/validate; joined by classify's find_validator.
#pragma once
#include <span>
#include <string_view>

#include "dataplane/classify/validate/finding.h"

namespace foreflow::classify::validate {

struct Named {
  std::string_view name;
  Validator run;
};
using Family = std::span<const Named>;

Family routing() noexcept;  // routing.cc

}  // namespace foreflow::classify::validate
