// SPDX-License-Identifier: Apache-2.0
// The Kalman filter of a seasonal ARIMA process, missing values included.
// Place: predictor/models; likelihood of series with gaps, and the state from which arima.h forecasts. Sources: Harvey
// 1989; the start of the differenced part is diffuse with a large variance as in Gardner, Harvey & Phillips 1980.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "predictor/models/arma.h"

namespace foreflow::predictor {

struct Differencing {
  int ordinary = 0, seasonal = 0;
  std::size_t season = 1;

  std::size_t lost() const { return static_cast<std::size_t>(ordinary) + static_cast<std::size_t>(seasonal) * season; }
  // delta of y_t = w_t + sum delta_i y_(t-i): (1 - B)^ordinary (1 - B^season)^seasonal, expanded; lost() elements.
  std::vector<double> lags() const;
};

// Thread safety: none. Memory: a square matrix of the state: expanded ARMA lags + lost().
class ArimaFilter {
 public:
  // Several series of one process that miss the same points are filtered together: one column each.
  ArimaFilter(const ArmaParameters& parameters, const Differencing& differencing, Eigen::Index columns = 1);

  struct Innovation {
    Eigen::RowVectorXd value;  // seen - expected
    double variance = 0;       // in units of the innovations' own; 0 for a missing point
    bool counts = false;       // false for missing points and for those that only start the differences
  };
  // NaN in the first column: missing.
  Innovation step(const Eigen::RowVectorXd& seen);

  // Expected values of the first column at the next path.size() points.
  void ahead(std::span<double> path) const;

 private:
  double observe(const Eigen::VectorXd& state) const;
  void transit(Eigen::Ref<Eigen::VectorXd> state) const;
  void predict_covariance();

  std::vector<double> phi_, delta_;
  Eigen::Index arma_ = 1;       // states of the ARMA part; the differences' follow
  Eigen::VectorXd shock_;       // how an innovation enters the ARMA part
  Eigen::MatrixXd state_;       // expected at the next point, one column per series
  Eigen::MatrixXd covariance_;  // of the same
  Eigen::VectorXd seen_with_;   // covariance of the state with the next point
  double variance_ = 0;         // of the next point
  bool steady_ = false;         // the covariance has stopped to change
};

// whiten() of arma.h for series with missing points (NaN in the first column) and before differencing.
Whitened whiten(const ArmaParameters& parameters, const Differencing& differencing, const Eigen::MatrixXd& columns);

}  // namespace foreflow::predictor
