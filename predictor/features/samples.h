// SPDX-License-Identifier: Apache-2.0
// Which points of the past speak for a point of the future.
// Place: predictor/features; the models take quantiles of what these functions return. Gaps are never returned.
#pragma once
#include <cstddef>
#include <vector>

#include "predictor/series/series.h"

namespace foreflow::predictor {

struct Sample {
  double value = 0;
  bool limited = false;  // the true value was at least this
  bool operator==(const Sample&) const = default;
};

// The newest `count` values, gaps skipped; fewer where there are no more.
std::vector<Sample> newest(const SeriesView& series, std::size_t count);

struct SameSlot {
  std::size_t periods = 7;     // how many former periods
  std::size_t neighbours = 3;  // points on each side of the slot
};

// The slot of the (lead + 1)-th point after the end, in former periods, with its neighbours.
std::vector<Sample> same_slot(const SeriesView& series, std::size_t lead, const SameSlot& which);

// Largest of the newest `count` points (gaps are points here); 0 where there is no value.
double recent_max(const SeriesView& series, std::size_t count);

}  // namespace foreflow::predictor
