// SPDX-License-Identifier: Apache-2.0
// Regression with seasonal ARIMA errors by exact maximum likelihood.
// Place: predictor/models; arima_search.h chooses the order. Source: Harvey 1989.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "predictor/models/arima_filter.h"
#include "predictor/models/recursion.h"

namespace foreflow::predictor {

struct ArimaOrder {
  ArmaOrder arma;
  Differencing differencing;
  bool constant = false;      // a mean without differencing, a drift with one difference of either kind
  std::size_t harmonics = 0;  // pairs of sine and cosine of a long season
  double long_season = 1;

  std::size_t regressors() const { return (constant ? 1 : 0) + 2 * harmonics; }
  // Values of the regressors at point t; 0 is the first point of the series that was fitted.
  void regressors_at(double t, std::span<double> row) const;
  bool operator==(const ArimaOrder&) const;
};

struct ArimaFit {
  ArimaOrder order;
  Eigen::VectorXd u;     // of arma_parameters()
  Eigen::VectorXd beta;  // of the regressors
  double variance = 0;   // of the innovations
  double log_likelihood = 0;
  double aicc = 0;  // infinite where there are too few points for the order
};

// The likelihood of one series under one order; the regressors' coefficients and the variance are concentrated out.
class ArimaLikelihood {
 public:
  // z: NaN = missing; at least order.differencing.lost() + 2 points.
  ArimaLikelihood(std::span<const double> z, const ArimaOrder& order);

  // Everything but the search: the fit at given parameters. log_likelihood is -infinity where there is no variance left
  // or the numbers overflow.
  ArimaFit at(const Eigen::VectorXd& u) const;

  // Maximum from `start` (order.arma.parameters() elements; zeros are a white start).
  ArimaFit maximise(const Eigen::VectorXd& start) const;

  // The best of the maxima from white noise and from positive and negative memory: the likelihood of mixed orders has
  // several.
  ArimaFit maximise() const;

 private:
  ArimaOrder order_;
  bool complete_;
  Eigen::MatrixXd columns_;  // the series and the regressors; differenced where nothing is missing
};

// Ready to be stepped from the first point of the series that was fitted.
std::unique_ptr<Recursion> arima_recursion(const ArimaFit& fit);

}  // namespace foreflow::predictor
