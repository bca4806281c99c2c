// SPDX-License-Identifier: Apache-2.0
// The classical models of one series, by name.
// Place: predictor/models; selection and the backtest take their candidates from here.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

// All that make_classical() knows, simplest first.
std::vector<std::string_view> classical_names();

// Null for a name that is not in classical_names().
std::unique_ptr<PathModel> make_classical(std::string_view name);

// For smooth, seasonal series (links, aggregates): the median of two lag regressions and two profiles, raw and log.
std::unique_ptr<PathModel> seasonal_ensemble();

}  // namespace foreflow::predictor
