// SPDX-License-Identifier: Apache-2.0
// Wants at several levels of certainty: what everybody probably needs comes before what anybody possibly needs.
// Place: host/allocate; over allocate(), for links whose device cannot lend ("hard mode"): there a share that is held
// for a rare burst is lost to those who need it every minute. Pure, integers only.
#pragma once
#include <span>
#include <vector>

#include "common/result.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate {

// Problem after problem: rungs[r][i] is the want of claim i on rung r, and what one rung has granted (CIR) is the
// guarantee of the next. A want below the former rung's grant takes nothing back; `want` of the claims is not read. The
// shares are those of the last rung. Each rung's solution is certified before the next starts from it.
// kInvalidArgument: as allocate(), no rung, or a rung without exactly one want per claim; kInternal: as certify().
// Cost: allocate() and certify() per rung.
Result<std::vector<Share>> allocate_ladder(Problem problem, std::span<const std::vector<BytesPerSecond>> rungs);

}  // namespace foreflow::allocate
