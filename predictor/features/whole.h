// SPDX-License-Identifier: Apache-2.0
// A series without gaps, for what needs every point.
// Place: predictor/features. Thread safety: pure function.
#pragma once
#include <vector>

#include "predictor/series/series.h"

namespace foreflow::predictor {

// Gaps are filled on a straight line between their neighbours, at the ends with the nearest value. Empty when nothing
// is known.
std::vector<double> interpolated(const SeriesView& series);

}  // namespace foreflow::predictor
