// SPDX-License-Identifier: Apache-2.0
// Which knob of the allocation law keeps a promise, learned from what series did.
// Place: predictor/optimize. Pure.
#pragma once
#include <array>
#include <cstddef>
#include <optional>

#include "predictor/models/model.h"
#include "predictor/optimize/allocation_law.h"

namespace foreflow::predictor {

// How many points lay above what each knob would have allocated for them.
struct Exceedance {
  static constexpr std::size_t kKnobs = static_cast<std::size_t>(kMostKnob) + 1;

  std::size_t points = 0;
  std::array<std::size_t, kKnobs> above{};
  void add(const Exceedance& other);
};

// Of the points from `first` on, each judged by those before it: `model` is fitted to the points before `first`, moved
// on and corrected by each that follows, and asked for `leads` points. Gaps are not judged, nor are limited points:
// what they would have been nobody knows.
Exceedance exceedance(const SeriesView& series, std::size_t first, std::size_t leads, const Model& model);

// The least knob above which no more than 1 - `quantile` of the points lay, between two whole ones as if the points in
// between were spread evenly; kMostKnob where even that had more. nullopt: there are too few points to tell (fewer than
// would let one be above), or the promise is so weak that the law's least is more than twice as strict.
std::optional<double> knob_for_quantile(const Exceedance& seen, double quantile);

}  // namespace foreflow::predictor
