// SPDX-License-Identifier: Apache-2.0
// Quantiles of a sample in which some values are only lower bounds, and the promises that every forecast keeps.
// Place: predictor/models; shared by the models that take quantiles of past values.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/forecast.h"

namespace foreflow::predictor {

using Quantiles = std::array<double, kQuantiles.size()>;

// The smallest value at which the distribution function reaches each of kQuantiles (no interpolation, so that a small
// sample answers high quantiles with its maximum). A limited value passes its weight on to the larger ones in equal
// parts (redistribution to the right: Efron 1967, equal to Kaplan & Meier 1958); the largest keeps its own, and is then
// a lower bound itself. An empty sample has zeros.
Quantiles empirical_quantiles(std::vector<Sample> samples);

// Periods whose maximum the highest quantile never falls below: bursts are rarer than any window of quantiles sees.
inline constexpr std::size_t kTailPeriods = 7;

// Turns rows of quantiles into a forecast: finite, non-negative, non-decreasing in each row, the last at least `tail`.
QuantileForecast finish(const std::vector<Quantiles>& rows, double tail, std::string model);

}  // namespace foreflow::predictor
