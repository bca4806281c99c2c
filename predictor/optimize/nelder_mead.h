// SPDX-License-Identifier: Apache-2.0
// Minimisation without derivatives, for few variables and objectives with kinks and walls.
// Place: predictor/optimize. Source: Nelder & Mead 1965; coefficients that depend on the dimension: Gao & Han 2012.
#pragma once
#include "predictor/optimize/minimum.h"

namespace foreflow::predictor {

struct NelderMeadLimits {
  double first_step = .1;    // edge of the first simplex
  double tolerance = 1e-10;  // relative difference of the simplex's values
  std::size_t evaluations = 2'000;
};

Minimum nelder_mead(const Objective& objective, const Eigen::VectorXd& start, const NelderMeadLimits& limits = {});

}  // namespace foreflow::predictor
