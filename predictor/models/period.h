// SPDX-License-Identifier: Apache-2.0
// How many points a period really has.
// Place: predictor/models. Recorders lose samples: where each day lacks a few, a "day" of 288 points drifts through the
// day, and everything seasonal fails although the series is as regular as can be.
#pragma once
#include <cstddef>
#include <span>

namespace foreflow::predictor {

// The lag within `slack` (a share) of `nominal` at which the series differs least from itself in the mean; `nominal`
// unless the gain in mean absolute difference is at least a tenth, and where fewer than `nominal` pairs are known.
// Only the newest 6 periods count. z: NaN = missing.
std::size_t true_period(std::span<const double> z, std::size_t nominal, double slack = .03);

}  // namespace foreflow::predictor
