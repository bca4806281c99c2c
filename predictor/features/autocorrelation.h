// SPDX-License-Identifier: Apache-2.0
// How much a series resembles itself some points later.
// Place: predictor/features. Thread safety: pure function.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

// Lags 0 .. `longest`, by the transform (Wiener-Khinchin): sum of (x[t] - mean)(x[t + lag] - mean) over that at lag 0,
// the biased estimate. Lags the series is too short for, and all but lag 0 of a constant one, are 0.
std::vector<double> autocorrelation(std::span<const double> values, std::size_t longest);

}  // namespace foreflow::predictor
