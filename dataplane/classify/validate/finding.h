// SPDX-License-Identifier: Apache-2.0
// What a validator says about a payload that a pattern has matched, and what every validator is.
// Place: dataplane/classify/validate. Payloads are foreign: every validator returns for any bytes, reads nothing past
// them and loops no more often than its payload is long.
// The payload may be a copy that was cut off: sizes are compared with whole_size(), fields are read from what is there.
// A TCP payload is one segment: its last message may go on in the next.
#pragma once
#include <string_view>

#include "common/category.h"
#include "dataplane/net/octets.h"

namespace foreflow::classify {

struct Finding {
  bool confirmed = false;
  std::string_view name;                   // of the host asked for, inside the payload; "" when not stated
  Category category = Category::kUnknown;  // when the payload says more than its protocol: video over HTTP

  Finding(bool is_confirmed = false) noexcept : confirmed(is_confirmed) {}  // NOLINT: most findings are just yes or no
};

using Validator = Finding (*)(net::Octets payload) noexcept;

}  // namespace foreflow::classify
