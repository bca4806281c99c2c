// SPDX-License-Identifier: Apache-2.0
// How good a forecaster would have been: forecasts from many origins in the past, each seeing only what came before it.
// Place: predictor/evaluate; selection and the backtest both use it. Source: Tashman 2000.
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "predictor/forecast.h"
#include "predictor/models/model.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Answers with `horizon` rows for the points after the end of `past`.
using Forecaster = std::function<QuantileForecast(const SeriesView& past, std::size_t horizon)>;

struct RollingOrigin {
  std::size_t horizon = 12;
  std::size_t origins = 24;  // at most; the newest whose whole horizon is known
  std::size_t stride = 12;   // points between two origins
  std::size_t warm_up = 24;  // points before the first origin
};

struct Score {
  std::array<double, kQuantiles.size()> loss{};      // mean pinball loss per quantile, in the unit of the series
  std::array<double, kQuantiles.size()> coverage{};  // share of values not above the forecast, where that is known
  double mean_loss = 0;                              // over the quantiles
  std::size_t origins = 0;
  std::size_t points = 0;  // forecast points that were compared: no gaps
};

// As rolling_origin(), of a model that is fitted once, before the first origin, and then kept up to date point by
// point, as a service runs it; one score for each band of leads. `ends`: rising, the last is plan.horizon; a band
// reaches from the end of the one before it.
std::vector<Score> rolling_update(const SeriesView& series, const RollingOrigin& plan, const Model& model,
                                  std::span<const std::size_t> ends);

// points == 0 when the series is too short; then all figures are 0. A limited value counts as a violation where it is
// above the forecast, and costs nothing (and is not in the coverage) where it is not.
Score rolling_origin(const SeriesView& series, const RollingOrigin& plan, const Forecaster& forecaster);

}  // namespace foreflow::predictor
