// SPDX-License-Identifier: Apache-2.0
// The one table of stores that the contract is held against.
#pragma once
#include <vector>

#include "tests/contract/store/bench.h"

namespace foreflow::store {

std::vector<StoreKind> store_kinds();

}  // namespace foreflow::store
