// SPDX-License-Identifier: Apache-2.0
// Minimisation of a smooth function whose gradient is taken by differences.
// Place: predictor/optimize. Source: Nocedal & Wright 2006, chapters 6 and 8.
#pragma once
#include "predictor/optimize/minimum.h"

namespace foreflow::predictor {

struct BfgsLimits {
  double tolerance = 1e-9;   // relative gain of an iteration below which it ends
  double difference = 1e-4;  // step of the central differences, times max(1, |x|)
  std::size_t iterations = 100;
};

Minimum bfgs(const Objective& objective, const Eigen::VectorXd& start, const BfgsLimits& limits = {});

}  // namespace foreflow::predictor
