// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/arima.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <Eigen/QR>

#include "predictor/optimize/bfgs.h"

namespace foreflow::predictor {
namespace {

Eigen::MatrixXd difference(const Eigen::MatrixXd& columns, const Differencing& differencing) {
  const std::vector<double> delta = differencing.lags();
  const auto lost = static_cast<Eigen::Index>(delta.size());
  Eigen::MatrixXd result = columns.bottomRows(columns.rows() - lost);
  for (Eigen::Index i = 0; i < lost; ++i)
    if (const double value = delta[static_cast<std::size_t>(i)]; value != 0)
      result -= value * columns.middleRows(lost - 1 - i, result.rows());
  return result;
}

double aicc(const ArimaFit& fit, Eigen::Index points) {
  const auto parameters = static_cast<double>(fit.u.size() + fit.beta.size() + 1);
  const double room = static_cast<double>(points) - parameters - 1;
  if (!(room > 0) || !std::isfinite(fit.log_likelihood)) return std::numeric_limits<double>::infinity();
  return -2 * fit.log_likelihood + 2 * parameters + 2 * parameters * (parameters + 1) / room;
}

class Filtering final : public Recursion {
 public:
  explicit Filtering(const ArimaFit& fit)
      : order_(fit.order),
        beta_(fit.beta),
        filter_(arma_parameters(fit.order.arma, fit.u), fit.order.differencing),
        row_(fit.order.regressors()) {}

  void step(double z) override {
    filter_.step(Eigen::RowVectorXd::Constant(1, z - regression(t_)));
    if (!std::isnan(z)) last_ = z;
    t_ += 1;
  }

  void ahead(std::span<double> path) const override {
    filter_.ahead(path);
    for (std::size_t h = 0; h < path.size(); ++h) {
      path[h] += regression(t_ + static_cast<double>(h));
      if (!std::isfinite(path[h])) path[h] = last_;
    }
  }

  std::size_t warm_up() const override {
    return order_.differencing.lost() + static_cast<std::size_t>(order_.arma.parameters()) + 1;
  }

 private:
  double regression(double t) const {
    std::vector<double> row(row_);
    order_.regressors_at(t, row);
    double sum = 0;
    for (std::size_t i = 0; i < row_; ++i) sum += row[i] * beta_[static_cast<Eigen::Index>(i)];
    return sum;
  }

  ArimaOrder order_;
  Eigen::VectorXd beta_;
  ArimaFilter filter_;
  std::size_t row_;
  double t_ = 0;
  double last_ = 0;
};

}  // namespace

bool ArimaOrder::operator==(const ArimaOrder& other) const {
  return arma == other.arma && constant == other.constant && harmonics == other.harmonics &&
         differencing.ordinary == other.differencing.ordinary && differencing.seasonal == other.differencing.seasonal;
}

void ArimaOrder::regressors_at(double t, std::span<double> row) const {
  std::size_t at = 0;
  if (constant) row[at++] = differencing.lost() == 0 ? 1 : t + 1;
  for (std::size_t k = 1; k <= harmonics; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) * t / long_season;
    row[at++] = std::sin(angle);
    row[at++] = std::cos(angle);
  }
}

ArimaLikelihood::ArimaLikelihood(std::span<const double> z, const ArimaOrder& order)
    : order_(order),
      complete_(std::ranges::none_of(z, [](double value) { return std::isnan(value); })),
      columns_(static_cast<Eigen::Index>(z.size()), static_cast<Eigen::Index>(1 + order.regressors())) {
  std::vector<double> row(order.regressors());
  for (std::size_t t = 0; t < z.size(); ++t) {
    order.regressors_at(static_cast<double>(t), row);
    columns_(static_cast<Eigen::Index>(t), 0) = z[t];
    for (std::size_t i = 0; i < row.size(); ++i)
      columns_(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(i + 1)) = row[i];
  }
  if (complete_) columns_ = difference(columns_, order.differencing);
}

ArimaFit ArimaLikelihood::at(const Eigen::VectorXd& u) const {
  ArimaFit fit{order_,
               u,
               Eigen::VectorXd::Zero(columns_.cols() - 1),
               0,
               -std::numeric_limits<double>::infinity(),
               std::numeric_limits<double>::infinity()};
  if (!u.allFinite()) return fit;
  const ArmaParameters parameters = arma_parameters(order_.arma, u);
  const Whitened white = complete_ ? whiten(parameters, columns_) : whiten(parameters, order_.differencing, columns_);
  if (!white.innovations.allFinite() || white.points < 2) return fit;
  Eigen::VectorXd rest = white.innovations.col(0);
  if (fit.beta.size() > 0) {
    const auto regressors = white.innovations.rightCols(fit.beta.size());
    fit.beta = regressors.colPivHouseholderQr().solve(rest);
    rest -= regressors * fit.beta;
  }
  const auto points = static_cast<double>(white.points);
  fit.variance = rest.squaredNorm() / points;
  if (!(fit.variance > 0)) return fit;
  fit.log_likelihood = -.5 * (points * (std::log(2 * std::numbers::pi * fit.variance) + 1) + white.log_variances);
  fit.aicc = aicc(fit, white.points);
  return fit;
}

ArimaFit ArimaLikelihood::maximise(const Eigen::VectorXd& start) const {
  // Beyond this a root is on the unit circle for all that arithmetic can tell.
  constexpr double kEdge = 8;
  const auto objective = [&](const Eigen::VectorXd& u) {
    return u.size() > 0 && u.lpNorm<Eigen::Infinity>() > kEdge ? std::numeric_limits<double>::infinity()
                                                               : -at(u).log_likelihood;
  };
  return at(bfgs(objective, start, {.tolerance = 1e-8, .difference = 1e-4, .iterations = 60}).at);
}

ArimaFit ArimaLikelihood::maximise() const {
  const ArmaOrder& arma = order_.arma;
  const Eigen::Index size = arma.parameters();
  ArimaFit best = maximise(Eigen::VectorXd::Zero(size));
  constexpr std::pair<double, double> kStarts[] = {{.5, .5}, {.5, -.5}, {-.5, .5}};
  for (const auto& [memory, echo] : kStarts) {
    if (size < 2) break;
    Eigen::VectorXd start(size);
    start << Eigen::VectorXd::Constant(arma.p, memory), Eigen::VectorXd::Constant(arma.q, echo),
        Eigen::VectorXd::Constant(arma.sp, memory), Eigen::VectorXd::Constant(arma.sq, echo);
    ArimaFit fit = maximise(start);
    if (fit.log_likelihood > best.log_likelihood) best = std::move(fit);
  }
  return best;
}

std::unique_ptr<Recursion> arima_recursion(const ArimaFit& fit) { return std::make_unique<Filtering>(fit); }

}  // namespace foreflow::predictor
