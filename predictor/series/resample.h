// SPDX-License-Identifier: Apache-2.0
// A series on a coarser grid, and on a logarithmic scale.
// Place: predictor/series. Thread safety: pure functions.
#pragma once
#include <cstddef>

#include "predictor/series/series.h"

namespace foreflow::predictor {

// How `factor` points become one. A block is a gap only when all its points are, and limited when any is: its true
// value was at least this, whatever is taken of it. Blocks are counted from the start of a period, so the first may
// have fewer points; the last is left out unless whole. The season is divided by the factor (at least 1). `factor` 0 is
// taken as 1.
Series resample_mean(const SeriesView& series, std::size_t factor);
Series resample_max(const SeriesView& series, std::size_t factor);
// The smallest value that at least `quantile` of the block's values do not exceed; quantile in [0, 1].
Series resample_quantile(const SeriesView& series, std::size_t factor, double quantile);

// log(1 + x) of each value: demands differ by factors. Gaps and limits stay.
Series log1p(const SeriesView& series);

}  // namespace foreflow::predictor
