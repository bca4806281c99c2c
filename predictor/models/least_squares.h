// SPDX-License-Identifier: Apache-2.0
// Ridge regression over rows that come one by one; the design matrix is never held.
// Place: predictor/models; the regressions on lags.
#pragma once
#include <Eigen/Core>

namespace foreflow::predictor {

// Accumulates the normal equations. Rows of `width` regressors; the caller adds a column of ones if it wants one.
class NormalEquations {
 public:
  explicit NormalEquations(Eigen::Index width)
      : products_(Eigen::MatrixXd::Zero(width, width)), targets_(Eigen::VectorXd::Zero(width)) {}

  void add(const Eigen::VectorXd& row, double target, double weight = 1) {
    products_.selfadjointView<Eigen::Lower>().rankUpdate(row, weight);
    targets_ += weight * target * row;
    ++rows_;
  }
  Eigen::Index rows() const { return rows_; }

  // Coefficients that minimise the weighted squares plus ridge * mean square of the regressors * |coefficients|^2.
  // Zeros where all regressors are zero.
  Eigen::VectorXd solve(double ridge) const;

 private:
  Eigen::MatrixXd products_;  // lower triangle
  Eigen::VectorXd targets_;
  Eigen::Index rows_ = 0;
};

}  // namespace foreflow::predictor
