// SPDX-License-Identifier: Apache-2.0
// One step of exponential smoothing, for all forms.
// Place: predictor/models; ets.h estimates and forecasts with it.
#pragma once
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "predictor/models/ets.h"

namespace foreflow::predictor {

// Thread safety: none. Cost of a step: constant, whatever the season.
class EtsFilter {
 public:
  EtsFilter(const EtsForm& form, const EtsParameters& parameters, EtsState start)
      : form_(form), parameters_(parameters), state_(std::move(start)) {}

  double expected() const { return combine(grown(), form_.season, shape()); }

  // `seen` came where expected() was.
  void step(double seen) {
    const double before = grown(), old_shape = shape();
    const double level = before + parameters_.alpha * (without(seen, form_.season, old_shape) - before);
    if (form_.trend != Component::kNone) {
      const double slope = damped_slope();
      const double change = form_.trend == Component::kAdditive ? level - state_.level : level / state_.level;
      state_.slope = slope + parameters_.beta / parameters_.alpha * (change - slope);
    }
    if (form_.season != Component::kNone) {
      state_.season[at_] = old_shape + parameters_.gamma * (without(seen, form_.season, before) - old_shape);
      at_ = at_ + 1 == state_.season.size() ? 0 : at_ + 1;
    }
    state_.level = level;
  }

 private:
  static double combine(double value, Component kind, double shape) {
    return kind == Component::kNone ? value : kind == Component::kAdditive ? value + shape : value * shape;
  }
  static double without(double value, Component kind, double part) {
    return kind == Component::kNone ? value : kind == Component::kAdditive ? value - part : value / part;
  }
  double shape() const { return form_.season == Component::kNone ? 0 : state_.season[at_]; }
  double damped_slope() const {
    if (form_.trend != Component::kMultiplicative) return parameters_.phi * state_.slope;
    return form_.damped ? std::pow(state_.slope, parameters_.phi) : state_.slope;
  }
  double grown() const { return combine(state_.level, form_.trend, damped_slope()); }

  EtsForm form_;
  EtsParameters parameters_;
  EtsState state_;
  std::size_t at_ = 0;
};

}  // namespace foreflow::predictor
