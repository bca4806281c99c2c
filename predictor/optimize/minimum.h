// SPDX-License-Identifier: Apache-2.0
// What the minimisers are given and what they return.
// Place: predictor/optimize; knows no model.
#pragma once
#include <cstddef>
#include <functional>

#include <Eigen/Core>

namespace foreflow::predictor {

// Infinity or NaN where the function is not defined; it must be defined at the start.
using Objective = std::function<double(const Eigen::VectorXd&)>;

struct Minimum {
  Eigen::VectorXd at;
  double value = 0;
  std::size_t evaluations = 0;
  bool converged = false;
};

}  // namespace foreflow::predictor
