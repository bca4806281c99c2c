// SPDX-License-Identifier: Apache-2.0
// The next point is a linear function of the last points and of those around a day and a week ago.
// Place: predictor/models. One sparse autoregression instead of a seasonal ARIMA: its ridge estimate is a single linear
// solve, also for seasons of thousands of points. Source: Box & Jenkins 1970 (autoregression), Hoerl & Kennard 1970.
#pragma once
#include <memory>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

struct LagRegressionSpec {
  Scale scale = Scale::kLog1p;
  std::size_t recent = 24;     // lags 1..recent
  std::size_t neighbours = 6;  // on each side of a season and of a week (7 seasons), at most 1/12 of the season
  double ridge = 1e-5;
  std::size_t most_weeks = 6;  // older points are not estimated from
};

class LagRegression final : public PathModel {
 public:
  explicit LagRegression(const LagRegressionSpec& spec = {});

  std::size_t needs(std::size_t) const override { return 20; }
  // The season's and the week's true lengths are measured (period.h). A lag that is longer than half the series is left
  // out; so are recent lags beyond a tenth of it.
  std::size_t most_points(std::size_t season) const override { return 7 * season * spec_.most_weeks + kMargin; }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  static constexpr std::size_t kMargin = 100;
  LagRegressionSpec spec_;
};

}  // namespace foreflow::predictor
