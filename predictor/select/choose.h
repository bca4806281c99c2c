// SPDX-License-Identifier: Apache-2.0
// Which model forecasts a series: the one that would have done best on its own past, and the reason in words.
// Place: predictor/select; the forecast service asks it for each VM and direction.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "predictor/evaluate/rolling_origin.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

using Models = std::vector<std::unique_ptr<Model>>;

// The models that compete for each VM, simplest first, for a grid of `season` points a day.
Models local_models(std::size_t season);

struct Choice {
  std::size_t model = 0;       // index into the models asked about
  std::string reason;          // "seasonal: mean pinball loss 1.2e+05 over 24 origins; last_hour 1.6e+05, ..."
  std::vector<double> losses;  // mean pinball loss of each model; empty when there was too little history
};

// Lowest mean pinball loss; of equal ones the first. With too little history for a single origin: the first.
// `models` must not be empty.
Choice choose(const SeriesView& series, std::span<const std::unique_ptr<Model>> models, const RollingOrigin& plan);

}  // namespace foreflow::predictor
