// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/arima_filter.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr double kDiffuse = 1e6;
constexpr double kStillDiffuse = 1e4;
constexpr double kSteady = 1e-9;

// Multiplies 1 - sum lags_i B^i by 1 - B^shift.
std::vector<double> differenced(const std::vector<double>& lags, std::size_t shift) {
  std::vector<double> result(lags.size() + shift, 0.0);
  std::ranges::copy(lags, result.begin());
  result[shift - 1] += 1;
  for (std::size_t i = 0; i < lags.size(); ++i) result[i + shift] -= lags[i];
  return result;
}

}  // namespace

std::vector<double> Differencing::lags() const {
  std::vector<double> lags;
  for (int i = 0; i < ordinary; ++i) lags = differenced(lags, 1);
  for (int i = 0; i < seasonal; ++i) lags = differenced(lags, season);
  return lags;
}

ArimaFilter::ArimaFilter(const ArmaParameters& parameters, const Differencing& differencing, Eigen::Index columns)
    : delta_(differencing.lags()) {
  const ArmaLags lags = expanded(parameters);
  const Eigen::MatrixXd start = stationary_covariance(parameters);
  arma_ = start.rows();
  phi_ = lags.phi;
  phi_.resize(static_cast<std::size_t>(arma_), 0.0);
  shock_ = Eigen::VectorXd::Zero(arma_);
  shock_[0] = 1;
  for (std::size_t i = 0; i < lags.theta.size(); ++i) shock_[static_cast<Eigen::Index>(i + 1)] = lags.theta[i];
  const Eigen::Index size = arma_ + static_cast<Eigen::Index>(delta_.size());
  state_ = Eigen::MatrixXd::Zero(size, columns);
  covariance_ = Eigen::MatrixXd::Identity(size, size) * kDiffuse;
  covariance_.topLeftCorner(arma_, arma_) = start;
}

double ArimaFilter::observe(const Eigen::VectorXd& state) const {
  double sum = state[0];
  for (std::size_t i = 0; i < delta_.size(); ++i)
    if (delta_[i] != 0) sum += delta_[i] * state[arma_ + static_cast<Eigen::Index>(i)];
  return sum;
}

void ArimaFilter::transit(Eigen::Ref<Eigen::VectorXd> state) const {
  const double value = observe(state);
  const double first = state[0];
  for (Eigen::Index i = 0; i < arma_; ++i)
    state[i] = phi_[static_cast<std::size_t>(i)] * first + (i + 1 < arma_ ? state[i + 1] : 0);
  for (Eigen::Index i = state.size() - 1; i > arma_; --i) state[i] = state[i - 1];
  if (!delta_.empty()) state[arma_] = value;
}

void ArimaFilter::predict_covariance() {
  for (Eigen::Index c = 0; c < covariance_.cols(); ++c) transit(covariance_.col(c));
  covariance_.transposeInPlace();
  for (Eigen::Index c = 0; c < covariance_.cols(); ++c) transit(covariance_.col(c));
  covariance_.topLeftCorner(arma_, arma_) += shock_ * shock_.transpose();
}

ArimaFilter::Innovation ArimaFilter::step(const Eigen::RowVectorXd& seen) {
  Innovation innovation{Eigen::RowVectorXd::Zero(seen.size()), 0, false};
  const bool missing = std::isnan(seen[0]);
  if (!missing) {
    if (!steady_) {
      seen_with_ = covariance_.col(0);
      for (std::size_t i = 0; i < delta_.size(); ++i)
        if (delta_[i] != 0) seen_with_ += delta_[i] * covariance_.col(arma_ + static_cast<Eigen::Index>(i));
      variance_ = observe(seen_with_);
    }
    for (Eigen::Index c = 0; c < seen.size(); ++c) {
      innovation.value[c] = seen[c] - observe(state_.col(c));
      state_.col(c) += seen_with_ * (innovation.value[c] / variance_);
    }
    innovation.variance = variance_;
    innovation.counts = variance_ < kStillDiffuse;
  }
  for (Eigen::Index c = 0; c < seen.size(); ++c) transit(state_.col(c));
  if (missing) {
    steady_ = false;
    predict_covariance();
  } else if (!steady_) {
    const Eigen::MatrixXd before = covariance_;
    covariance_.noalias() -= seen_with_ * seen_with_.transpose() / variance_;
    predict_covariance();
    steady_ = (covariance_ - before).cwiseAbs().maxCoeff() < kSteady;
  }
  return innovation;
}

void ArimaFilter::ahead(std::span<double> path) const {
  Eigen::VectorXd state = state_.col(0);
  for (double& value : path) {
    value = observe(state);
    transit(state);
  }
}

Whitened whiten(const ArmaParameters& parameters, const Differencing& differencing, const Eigen::MatrixXd& columns) {
  ArimaFilter filter(parameters, differencing, columns.cols());
  Whitened result{Eigen::MatrixXd::Zero(columns.rows(), columns.cols()), 0, 0};
  for (Eigen::Index t = 0; t < columns.rows(); ++t) {
    const ArimaFilter::Innovation innovation = filter.step(columns.row(t));
    if (!innovation.counts) continue;
    result.innovations.row(t) = innovation.value / std::sqrt(innovation.variance);
    result.log_variances += std::log(innovation.variance);
    ++result.points;
  }
  return result;
}

}  // namespace foreflow::predictor
