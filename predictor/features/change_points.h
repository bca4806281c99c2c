// SPDX-License-Identifier: Apache-2.0
// Where the level of a series changed for good, and which way it drifts.
// Place: predictor/features. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

// First points of new levels, increasing: the segmentation that minimises squared errors from segment means plus
// `penalty` noise variances per change, exactly (PELT, Killick et al. 2012), in about linear time where changes are
// many. The noise is the median size of the step between neighbours; a series without noise by that measure has none.
std::vector<std::size_t> level_changes(std::span<const double> values, double penalty);

// The penalty of the Bayesian information criterion for n points: 3 ln n.
double usual_penalty(std::size_t n);

// Slope per point: the median of the slopes between all pairs (Theil 1950, Sen 1968), which outliers do not move. O(n^2
// log n): for a few hundred points. 0 for fewer than 2.
double robust_slope(std::span<const double> values);

}  // namespace foreflow::predictor
