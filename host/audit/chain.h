// SPDX-License-Identifier: Apache-2.0
// The hash chain: each block's hash is that of the block before and its own bytes, so no block can be changed, left out
// or put elsewhere without changing all that follow.
// Place: host/audit.
#pragma once
#include <string_view>

#include "common/sha256.h"

namespace foreflow::audit {

using Hash = Sha256;  // all zero before the first block

// SHA-256 of `before` and `payload`, one after the other.
Hash chained(const Hash& before, std::string_view payload);

}  // namespace foreflow::audit
