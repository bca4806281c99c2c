// SPDX-License-Identifier: Apache-2.0
// Proof that a solution is the one that allocate() promises, found without solving anything again.
// Place: host/allocate; the cycle asks for it before a solution may be installed. Pure; shares no code with the solver.
// Source: the bottleneck condition of max-min fairness, Bertsekas & Gallager, Data Networks, 6.5.2, with lower and
// upper bounds, weights and tiers.
#pragma once
#include <vector>

#include "common/result.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate {

// Per claim: guarantee and cap hold, and its grant is its upper bound, or it crosses a link that is full (to the unit
// per claim that rounding may leave) on which no claim of its tier with a larger grant per weight is above its lower
// bound and no claim of a later tier is. The same for the spare, which knows no tiers. Per link: the sum of CIR is at
// most what can be promised, and without lending the sum of PIR at most the capacity. kInternal: which of it fails,
// with VM, link and figures. Cost: linear in the number of (claim, link) pairs.
Status certify(const Problem& problem, const std::vector<Share>& shares);

}  // namespace foreflow::allocate
