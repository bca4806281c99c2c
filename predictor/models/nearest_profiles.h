// SPDX-License-Identifier: Apache-2.0
// Cold start: a VM without a past of its own is forecast by what others did after they looked like it.
// Place: predictor/models. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "predictor/forecast.h"
#include "predictor/match/distance_profile.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

struct ProfileMatch {
  std::size_t series = 0;  // in the fleet
  Match match;
};

// The `most` windows of the fleet that are nearest to `query`, nearest first, each followed by at least `followed`
// points; starts in one series lie a window apart. Queries and fleet on one scale (log1p), without gaps.
std::vector<ProfileMatch> nearest_profiles(std::span<const double> query, std::span<const std::vector<double>> fleet,
                                           std::size_t most, std::size_t followed);

// Quantiles over the continuations of the `most` nearest windows, brought to the level of `young`, of which the newest
// `kLongestQuery` points are compared. At most kPlausible times the larger of young's peak and theirs. Zeros where
// young or the fleet is empty. `fleet`: log1p, without gaps.
inline constexpr std::size_t kLongestQuery = 48;
QuantileForecast cold_start(const SeriesView& young, std::span<const std::vector<double>> fleet, std::size_t horizon,
                            std::size_t most);

}  // namespace foreflow::predictor
