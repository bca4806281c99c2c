// SPDX-License-Identifier: Apache-2.0
// The core of a model that goes through a series point by point: what naive, smoothing, regression and ARIMA differ in.
// Place: predictor/models; path_model.h turns one into a FittedModel with quantiles.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

namespace foreflow::predictor {

// Parameters are estimated, the state is that before the first point until step() is called. Works on any scale.
// Thread safety: none; ahead() alone may run in parallel.
class Recursion {
 public:
  virtual ~Recursion() = default;
  // The next point came. NaN is an unknown one: the recursion goes on as if its own forecast had come true.
  virtual void step(double z) = 0;
  // Point forecasts of the next path.size() points. Finite, whatever came.
  virtual void ahead(std::span<double> path) const = 0;
  // Points that have to be stepped through before a forecast tells anything about the recursion's errors.
  virtual std::size_t warm_up() const = 0;
};

// Forecast of the next point alone.
inline double next(const Recursion& recursion) {
  double z = 0;
  recursion.ahead({&z, 1});
  return z;
}

}  // namespace foreflow::predictor
