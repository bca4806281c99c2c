// SPDX-License-Identifier: Apache-2.0
// Seasonal ARMA processes: orders, parameters, and the exact likelihood of a complete series.
// Place: predictor/models; arima.h builds on it. Sources: Harvey 1989 (state space form); Morf, Sidhu & Kailath 1974
// and Melard 1984 (fast recursions); Jones 1980 (parameters that are stationary whatever they are).
#pragma once
#include <cstddef>
#include <vector>

#include <Eigen/Core>

namespace foreflow::predictor {

struct ArmaOrder {
  int p = 0, q = 0;    // lags 1, 2, ...
  int sp = 0, sq = 0;  // lags of whole seasons
  std::size_t season = 1;

  int parameters() const { return p + q + sp + sq; }
  bool operator==(const ArmaOrder&) const = default;
};

// (1 - phi_1 B - ...)(1 - Phi_1 B^s - ...) w = (1 + theta_1 B + ...)(1 + Theta_1 B^s + ...) e; signs as in R's arima.
struct ArmaParameters {
  std::vector<double> phi, theta, seasonal_phi, seasonal_theta;
  std::size_t season = 1;
};

// From the whole space: each u is the tanh of a partial autocorrelation, so that the result is stationary and
// invertible. A further lag with u = 0 leaves the process as it is. `u` has order.parameters() elements: p, q, sp, sq.
ArmaParameters arma_parameters(const ArmaOrder& order, const Eigen::VectorXd& u);

// The products of the polynomials, expanded: coefficients of lags 1, 2, ...
struct ArmaLags {
  std::vector<double> phi, theta;
};
ArmaLags expanded(const ArmaParameters& parameters);

// Covariance of the state (Harvey's form, innovations of variance 1) in the long run; r x r, r = max(p, q + 1) of the
// expanded lags. O(r^2): no linear system of the size of the season is solved.
Eigen::MatrixXd stationary_covariance(const ArmaParameters& parameters);

// Innovations of several series under one process, each divided by its standard deviation (in units of the
// innovations' own).
struct Whitened {
  Eigen::MatrixXd innovations;  // one column per series; rows of missing points are 0
  double log_variances = 0;     // sum of log(variance) over the points that count
  Eigen::Index points = 0;      // how many count
};

// `columns` has no missing value. O(r) per point until the gain is steady, then O(number of non-zero lags).
Whitened whiten(const ArmaParameters& parameters, const Eigen::MatrixXd& columns);

}  // namespace foreflow::predictor
