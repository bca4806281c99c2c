// SPDX-License-Identifier: Apache-2.0
// Examples for models that learn from many series: features of the past beside what came.
// Place: predictor/models/global.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "predictor/features/demand_state.h"
#include "predictor/models/global/quantile_trees.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

struct Drawing {
  std::size_t first_lead = 0;
  std::size_t last_lead = 0;
  std::size_t rows = 0;  // about as many, spread evenly over all series and times
  std::uint64_t seed = 1;
  std::size_t history = 0;  // points before the target's origin that are put in front of the features: see fill_history
};

// 2 x `points` numbers: for each of the last points, oldest first, the point and the one a season before it, relative
// to the VM's level.
void fill_history(const DemandState& state, std::size_t season, std::size_t points, std::span<float> out);

// Features of DemandState and targets as log1p(value) - level. Neither gaps nor limited points are targets; the first
// fifth of a series (at most 5 periods) only warms up.
TrainingRows draw_rows(std::span<const SeriesView> fleet, const Drawing& drawing);

}  // namespace foreflow::predictor
