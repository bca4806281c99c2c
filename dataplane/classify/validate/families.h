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

Family ber() noexcept;         // ber.cc
Family building() noexcept;    // building.cc
Family calls() noexcept;       // calls.cc
Family games() noexcept;       // games.cc
Family http() noexcept;        // http.cc
Family industrial() noexcept;  // industrial.cc
Family management() noexcept;  // management.cc
Family messaging() noexcept;   // messaging.cc
Family monitoring() noexcept;  // monitoring.cc
Family peers() noexcept;       // peers.cc
Family remote() noexcept;      // remote.cc
Family routing() noexcept;     // routing.cc
Family storage() noexcept;     // storage.cc
Family stores() noexcept;      // stores.cc
Family tunnels() noexcept;     // tunnels.cc
Family vpn() noexcept;         // vpn.cc

}  // namespace foreflow::classify::validate
