// SPDX-License-Identifier: Apache-2.0
// The price of a quantile forecast that turned out wrong.
// Place: predictor/evaluate. Source: Koenker & Bassett 1978.
#pragma once
#include <algorithm>

namespace foreflow::predictor {

// Loss of forecasting `forecast` for the `tau`-quantile when `actual` came: tau per unit too low, 1 - tau per unit too
// high. In the unit of the series.
inline double pinball(double tau, double actual, double forecast) {
  return std::max(tau * (actual - forecast), (tau - 1) * (actual - forecast));
}

// The same when `at_least` is only a lower bound of what came: too low is certain and costs as much at least; too high
// cannot be told.
inline double pinball_limited(double tau, double at_least, double forecast) {
  return tau * std::max(0.0, at_least - forecast);
}

}  // namespace foreflow::predictor
