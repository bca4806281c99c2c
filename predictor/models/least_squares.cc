// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/least_squares.h"

#include <Eigen/Cholesky>

namespace foreflow::predictor {

Eigen::VectorXd NormalEquations::solve(double ridge) const {
  const double size = products_.trace() / static_cast<double>(targets_.size());
  if (!(size > 0)) return Eigen::VectorXd::Zero(targets_.size());
  Eigen::MatrixXd regular = products_;
  regular.diagonal().array() += ridge * size;
  const Eigen::VectorXd solution = regular.selfadjointView<Eigen::Lower>().ldlt().solve(targets_);
  return solution.allFinite() ? solution : Eigen::VectorXd::Zero(targets_.size());
}

}  // namespace foreflow::predictor
