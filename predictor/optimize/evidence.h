// SPDX-License-Identifier: Apache-2.0
// Gathers what the allocation law weighs.
// Place: predictor/optimize, shared by the forecast service and the backtest.
#pragma once
#include <algorithm>
#include <cstddef>

#include "predictor/features/usual_peaks.h"
#include "predictor/forecast.h"
#include "predictor/optimize/allocation_law.h"

namespace foreflow::predictor {

// For the next `leads` points (at least 1, at most the forecast's): the highest of their quantiles, and the peaks so
// far.
inline Evidence gather(const QuantileForecast& forecast, std::size_t leads, const UsualPeaks& peaks) {
  constexpr Eigen::Index k90 = 1, k99 = 3;
  const auto rows = static_cast<Eigen::Index>(std::min(leads, forecast.horizon()));
  return {.q90 = forecast.values.col(k90).head(rows).maxCoeff(),
          .q99 = forecast.values.col(k99).head(rows).maxCoeff(),
          .usual = peaks.usual(),
          .hours = peaks.hours(),
          .swing = peaks.swing(),
          .day = peaks.day(),
          .week = peaks.week(),
          .month = peaks.month()};
}

}  // namespace foreflow::predictor
