// SPDX-License-Identifier: Apache-2.0
// Quantiles of each row of a series from the rows before it, corrected online as the forecast service does it.
// Place: host/app/backtest, for `forecast --coverage`.
#pragma once
#include <cstddef>
#include <string>

#include "host/app/backtest/dataset.h"
#include "host/app/backtest/forecasting.h"

namespace foreflow::backtest {

inline constexpr std::size_t kKnownRows = 7 * kDay;  // of a series before the first row that is forecast

struct OneStepPlan {
  std::size_t refit = 7 * kDay;  // rows between two fits; in between a model is kept up to date
  bool correct = true;           // conformal correction, which learns from observed rows
};

// Row by row "series,step,q95,q99" for the observed rows from kKnownRows on; empty for a shorter series.
std::string one_step_rows(const Recording& recording, const Forecasting& forecasting, const OneStepPlan& plan);

}  // namespace foreflow::backtest
