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

// What is known of a series when its model is selected.
struct Trends {
  SeriesView series;
  RollingOrigin plan;  // the origins at which the models are compared
};

struct Choice {
  std::size_t model = 0;       // index into the models asked about
  std::string reason;          // "seasonal: mean pinball loss 1.2e+05 over 24 origins; last_hour 1.6e+05, ..."
  std::vector<double> losses;  // mean pinball loss of each model, infinite for those left out; empty when there was too
                               // little history
};

// Share of the log's variance that the time of day explains (behaviour_v1's day_strength) from which on models that do
// not look at the time are not tried.
inline constexpr double kClearDay = .5;

// Lowest mean pinball loss; of equal ones the first. With too little history for a single origin: the first. Features
// narrow the candidates first: where the time of day explains most of the series, windows of past values are left out.
// `models` must not be empty.
Choice select_forecasting_model(const Trends& trends, std::span<const std::unique_ptr<Model>> models);

}  // namespace foreflow::predictor
