// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/arma.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>
#include <utility>

#include <Eigen/LU>

namespace foreflow::predictor {
namespace {

// Coefficients of a stationary autoregression with these partial autocorrelations (Durbin-Levinson).
std::vector<double> from_partial(std::span<const double> partial) {
  std::vector<double> phi;
  for (const double r : partial) {
    const std::vector<double> shorter = phi;
    for (std::size_t i = 0; i < shorter.size(); ++i) phi[i] = shorter[i] - r * shorter[shorter.size() - 1 - i];
    phi.push_back(r);
  }
  return phi;
}

// (1 + s a_1 B + ...)(1 + s b_1 B^season + ...) with s = sign, returned with the same sign convention.
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, std::size_t season,
                            double sign) {
  std::vector<double> result(a.size() + b.size() * season, 0.0);
  for (std::size_t i = 0; i < a.size(); ++i) result[i] += a[i];
  for (std::size_t j = 0; j < b.size(); ++j) {
    result[(j + 1) * season - 1] += b[j];
    for (std::size_t i = 0; i < a.size(); ++i) result[(j + 1) * season + i] += sign * a[i] * b[j];
  }
  return result;
}

// First `count` weights of the moving average of infinite order.
std::vector<double> psi_weights(const std::vector<double>& phi, const std::vector<double>& theta, std::size_t count) {
  std::vector<double> psi(count, 0.0);
  for (std::size_t k = 0; k < count; ++k) {
    psi[k] = k == 0 ? 1 : k <= theta.size() ? theta[k - 1] : 0;
    for (std::size_t j = 1; j <= std::min(k, phi.size()); ++j) psi[k] += phi[j - 1] * psi[k - j];
  }
  return psi;
}

// Autocovariances 0..count-1 of a short ARMA, from the equations for lags 0..p and then recursively.
std::vector<double> short_autocovariances(const std::vector<double>& phi, const std::vector<double>& theta,
                                          std::size_t count) {
  const auto p = static_cast<Eigen::Index>(phi.size());
  const std::vector<double> psi = psi_weights(phi, theta, theta.size() + 1);
  const auto moving = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t j = lag; j <= theta.size(); ++j) sum += (j == 0 ? 1 : theta[j - 1]) * psi[j - lag];
    return sum;
  };
  Eigen::MatrixXd equations = Eigen::MatrixXd::Identity(p + 1, p + 1);
  Eigen::VectorXd right(p + 1);
  for (Eigen::Index k = 0; k <= p; ++k) {
    for (Eigen::Index j = 1; j <= p; ++j) equations(k, std::abs(k - j)) -= phi[static_cast<std::size_t>(j - 1)];
    right[k] = moving(static_cast<std::size_t>(k));
  }
  const Eigen::VectorXd first = equations.partialPivLu().solve(right);
  std::vector<double> gamma(first.begin(), first.end());
  gamma.resize(std::max(count, gamma.size()), 0.0);
  for (std::size_t k = phi.size() + 1; k < gamma.size(); ++k) {
    gamma[k] = moving(k);
    for (std::size_t j = 1; j <= phi.size(); ++j) gamma[k] += phi[j - 1] * gamma[k - j];
  }
  return gamma;
}

constexpr double kNegligible = 1e-14;
constexpr std::size_t kMostSeasons = 20'000;

// Spectra of the two factors multiply, so their autocovariances are convolved; the seasonal one lives on whole seasons.
std::vector<double> autocovariances(const ArmaParameters& of, std::size_t count) {
  if (of.seasonal_phi.empty() && of.seasonal_theta.empty()) return short_autocovariances(of.phi, of.theta, count);
  // Both sides fade; the product is cut where either factor is negligible.
  std::size_t seasons = of.seasonal_theta.size() + 1;
  std::vector<double> seasonal = short_autocovariances(of.seasonal_phi, of.seasonal_theta, seasons);
  while (!of.seasonal_phi.empty() && seasons < kMostSeasons && std::abs(seasonal.back()) > kNegligible * seasonal[0])
    seasonal = short_autocovariances(of.seasonal_phi, of.seasonal_theta, seasons *= 2);
  std::size_t reach = count + seasons * of.season;
  const std::size_t most = count + 20'000;
  std::vector<double> plain = short_autocovariances(of.phi, of.theta, std::min(reach, most));
  const auto at = [&](std::size_t lag) { return lag < plain.size() ? plain[lag] : 0.0; };
  std::vector<double> gamma(count, 0.0);
  for (std::size_t k = 0; k < count; ++k) {
    gamma[k] = seasonal[0] * at(k);
    for (std::size_t j = 1; j < seasonal.size(); ++j) {
      const std::size_t shift = j * of.season;
      if (shift > k + plain.size()) break;
      gamma[k] += seasonal[j] * (at(k + shift) + at(k > shift ? k - shift : shift - k));
    }
  }
  return gamma;
}

std::size_t state_size(const ArmaLags& lags) { return std::max({lags.phi.size(), lags.theta.size() + 1}); }

// E[w_t a_t(i)] for each state i: what both the covariance and the gain start from.
Eigen::VectorXd first_row(const ArmaParameters& parameters, const ArmaLags& lags) {
  const std::size_t r = state_size(lags);
  const std::vector<double> gamma = autocovariances(parameters, r + 1);
  const std::vector<double> psi = psi_weights(lags.phi, lags.theta, r);
  Eigen::VectorXd row = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(r));
  for (std::size_t k = 1; k <= r; ++k) {
    const double phi = k <= lags.phi.size() ? lags.phi[k - 1] : 0;
    const double theta = k == 1 ? 1 : k - 2 < lags.theta.size() ? lags.theta[k - 2] : 0;
    if (phi == 0 && theta == 0) continue;
    for (std::size_t i = 1; i <= k; ++i)
      row[static_cast<Eigen::Index>(i - 1)] += phi * gamma[k - i + 1] + theta * psi[k - i];
  }
  row[0] = gamma[0];
  return row;
}

// Non-zero lags, for recursions over long seasons.
struct Sparse {
  std::vector<std::pair<std::size_t, double>> terms;
  explicit Sparse(const std::vector<double>& lags) {
    for (std::size_t i = 0; i < lags.size(); ++i)
      if (lags[i] != 0) terms.emplace_back(i, lags[i]);
  }
};

// v := T v for the companion form: shift up, and phi times the first.
void transit(Eigen::Ref<Eigen::VectorXd> v, const Sparse& phi) {
  const double first = v[0];
  const Eigen::Index r = v.size();
  std::copy(v.data() + 1, v.data() + r, v.data());
  v[r - 1] = 0;
  for (const auto& [i, value] : phi.terms) v[static_cast<Eigen::Index>(i)] += value * first;
}

// The Kalman filter's gain and innovation variance without its covariance: P changes by a matrix of rank one per point.
class Gain {
 public:
  Gain(const ArmaParameters& parameters, const ArmaLags& lags, const Sparse& phi) : phi_(phi) {
    gain_ = first_row(parameters, lags);
    variance_ = gain_[0];
    transit(gain_, phi_);
    change_ = gain_;
    size_ = -1 / variance_;
  }

  const Eigen::VectorXd& gain() const { return gain_; }
  double variance() const { return variance_; }
  bool is_steady() const { return variance_ - 1 < kSteady && std::abs(size_) * change_.squaredNorm() < kSteady; }

  void advance() {
    const double seen = change_[0];
    const Eigen::VectorXd gain_before = gain_;
    const double variance_before = variance_;
    transit(change_, phi_);
    gain_ += change_ * (size_ * seen);
    variance_ += size_ * seen * seen;
    change_ -= gain_before * (seen / variance_before);
    size_ *= variance_before / variance_;
  }

 private:
  static constexpr double kSteady = 1e-10;
  const Sparse& phi_;
  Eigen::VectorXd gain_;  // T P Z'
  double variance_ = 1;   // Z P Z'
  Eigen::VectorXd change_;
  double size_ = 0;  // P(t + 1) - P(t) = size * change * change'
};

}  // namespace

ArmaParameters arma_parameters(const ArmaOrder& order, const Eigen::VectorXd& u) {
  Eigen::Index at = 0;
  const auto next = [&](int count, double sign) {
    std::vector<double> partial(static_cast<std::size_t>(count));
    for (double& r : partial) r = std::tanh(u[at++]);
    std::vector<double> coefficients = from_partial(partial);
    for (double& c : coefficients) c *= sign;
    return coefficients;
  };
  ArmaParameters result;
  result.phi = next(order.p, 1);
  result.theta = next(order.q, -1);
  result.seasonal_phi = next(order.sp, 1);
  result.seasonal_theta = next(order.sq, -1);
  result.season = order.season;
  return result;
}

ArmaLags expanded(const ArmaParameters& of) {
  return {product(of.phi, of.seasonal_phi, of.season, -1), product(of.theta, of.seasonal_theta, of.season, 1)};
}

Eigen::MatrixXd stationary_covariance(const ArmaParameters& parameters) {
  const ArmaLags lags = expanded(parameters);
  const Eigen::VectorXd row = first_row(parameters, lags);
  const Eigen::Index r = row.size();
  const auto phi = [&](Eigen::Index i) {
    return static_cast<std::size_t>(i) < lags.phi.size() ? lags.phi[static_cast<std::size_t>(i)] : 0;
  };
  const auto theta = [&](Eigen::Index i) {
    return i == 0                                             ? 1
           : static_cast<std::size_t>(i) <= lags.theta.size() ? lags.theta[static_cast<std::size_t>(i - 1)]
                                                              : 0;
  };
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(r, r);
  covariance.row(0) = row.transpose();
  covariance.col(0) = row;
  const auto beyond = [&](Eigen::Index i, Eigen::Index j) { return i < r && j < r ? covariance(i, j) : 0; };
  // P = T P T' + R R', read from the last state to the second.
  for (Eigen::Index i = r - 1; i > 0; --i)
    for (Eigen::Index j = r - 1; j >= i; --j) {
      covariance(i, j) = phi(i) * phi(j) * row[0] + phi(i) * beyond(0, j + 1) + phi(j) * beyond(i + 1, 0) +
                         beyond(i + 1, j + 1) + theta(i) * theta(j);
      covariance(j, i) = covariance(i, j);
    }
  return covariance;
}

Whitened whiten(const ArmaParameters& parameters, const Eigen::MatrixXd& columns) {
  const ArmaLags lags = expanded(parameters);
  const Sparse phi(lags.phi), theta(lags.theta);
  Gain gain(parameters, lags, phi);
  Whitened result{Eigen::MatrixXd(columns.rows(), columns.cols()), 0, columns.rows()};
  Eigen::MatrixXd state = Eigen::MatrixXd::Zero(gain.gain().size(), columns.cols());
  const Eigen::Index longest = state.rows();
  Eigen::Index t = 0;
  for (; t < columns.rows() && !(t >= longest && gain.is_steady()); ++t) {
    const double variance = gain.variance();
    result.log_variances += std::log(variance);
    for (Eigen::Index c = 0; c < columns.cols(); ++c) {
      const double innovation = columns(t, c) - state(0, c);
      transit(state.col(c), phi);
      state.col(c) += gain.gain() * (innovation / variance);
      result.innovations(t, c) = innovation / std::sqrt(variance);
    }
    gain.advance();
  }
  // From here on the innovations have variance 1 and follow from the differences' own equation.
  for (Eigen::Index c = 0; c < columns.cols(); ++c) {
    const double* w = columns.col(c).data();
    double* e = result.innovations.col(c).data();
    for (Eigen::Index i = t; i < columns.rows(); ++i) {
      double innovation = w[i];
      for (const auto& [lag, value] : phi.terms) innovation -= value * w[i - 1 - static_cast<Eigen::Index>(lag)];
      for (const auto& [lag, value] : theta.terms) innovation -= value * e[i - 1 - static_cast<Eigen::Index>(lag)];
      e[i] = innovation;
    }
  }
  return result;
}

}  // namespace foreflow::predictor
