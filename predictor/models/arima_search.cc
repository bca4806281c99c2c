// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/arima_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Eigenvalues>

#include "predictor/models/stationarity.h"

namespace foreflow::predictor {
namespace {

constexpr double kNearestRoot = 1.01;

// Smallest modulus of the roots of 1 - sum lags_i B^i; infinite without lags.
double nearest_root(const std::vector<double>& lags) {
  const auto last = std::find_if(lags.rbegin(), lags.rend(), [](double lag) { return std::abs(lag) > 1e-8; });
  const auto degree = static_cast<Eigen::Index>(lags.rend() - last);
  if (degree == 0) return std::numeric_limits<double>::infinity();
  Eigen::MatrixXd companion = Eigen::MatrixXd::Zero(degree, degree);
  for (Eigen::Index i = 0; i < degree; ++i) companion(0, i) = lags[static_cast<std::size_t>(i)];
  if (degree > 1) companion.diagonal(-1).setOnes();
  return 1 / companion.eigenvalues().cwiseAbs().maxCoeff();
}

std::vector<double> negated(std::vector<double> lags) {
  for (double& lag : lags) lag = -lag;
  return lags;
}

bool is_near_unit_root(const ArimaFit& fit) {
  const ArmaParameters of = arma_parameters(fit.order.arma, fit.u);
  const auto season = static_cast<double>(of.season);
  const double seasonal = std::min(nearest_root(of.seasonal_phi), nearest_root(negated(of.seasonal_theta)));
  const double nearest =
      std::min({nearest_root(of.phi), nearest_root(negated(of.theta)), std::pow(seasonal, 1 / season)});
  return nearest < kNearestRoot;
}

// u of one order as a start for another: what both have stays, further lags begin at 0.
Eigen::VectorXd carried_over(const ArmaOrder& from, const Eigen::VectorXd& u, const ArmaOrder& to) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(to.parameters());
  Eigen::Index source = 0, target = 0;
  const auto carry = [&](int have, int want) {
    result.segment(target, std::min(have, want)) = u.segment(source, std::min(have, want));
    source += have;
    target += want;
  };
  carry(from.p, to.p);
  carry(from.q, to.q);
  carry(from.sp, to.sp);
  carry(from.sq, to.sq);
  // Off the edge, where the likelihood is flat.
  return result.cwiseMax(-2.0).cwiseMin(2.0);
}

class Walk {
 public:
  Walk(std::span<const double> z, const ArimaOrder& start, const ArimaSearch& limits)
      : z_(z), base_(start), limits_(limits) {}

  ArimaFit run() {
    const bool may_have_constant = base_.differencing.ordinary + base_.differencing.seasonal <= 1;
    const int seasonal = base_.arma.season > 1 ? 1 : 0;
    consider(order(2, 2, seasonal, seasonal, may_have_constant));
    consider(order(0, 0, 0, 0, may_have_constant));
    consider(order(1, 0, seasonal, 0, may_have_constant));
    consider(order(0, 1, 0, seasonal, may_have_constant));
    if (may_have_constant) consider(order(0, 0, 0, 0, false));
    while (step()) {
    }
    return *best_;
  }

 private:
  ArimaOrder order(int p, int q, int sp, int sq, bool constant) const {
    ArimaOrder result = base_;
    result.arma = {p, q, sp, sq, base_.arma.season};
    result.constant = constant;
    return result;
  }

  bool is_allowed(const ArmaOrder& arma) const {
    const auto within = [](int lags, int most) { return lags >= 0 && lags <= most; };
    const int seasonal = base_.arma.season > 1 ? limits_.most_seasonal_lags : 0;
    return within(arma.p, limits_.most_lags) && within(arma.q, limits_.most_lags) && within(arma.sp, seasonal) &&
           within(arma.sq, seasonal);
  }

  // True when the order is the best so far.
  bool consider(const ArimaOrder& candidate) {
    if (!is_allowed(candidate.arma) || std::ranges::find(seen_, candidate) != seen_.end()) return false;
    if (seen_.size() >= limits_.most_orders) return false;
    seen_.push_back(candidate);
    const ArimaLikelihood likelihood(z_, candidate);
    const Eigen::VectorXd white = Eigen::VectorXd::Zero(candidate.arma.parameters());
    ArimaFit fit = likelihood.maximise(best_ ? carried_over(best_->order.arma, best_->u, candidate.arma) : white);
    if (best_ && fit.aicc > best_->aicc - kWorthASecondStart) {
      ArimaFit again = likelihood.maximise(white);
      if (again.log_likelihood > fit.log_likelihood) fit = std::move(again);
    }
    if (best_ && (!(fit.aicc < best_->aicc) || is_near_unit_root(fit))) return false;
    best_ = std::move(fit);
    return true;
  }

  // To the first better neighbour; seasonal lags first, as in the paper.
  bool step() {
    constexpr std::pair<int, int> kMoves[] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, 1}, {-1, 1}, {1, -1}};
    const ArmaOrder at = best_->order.arma;
    const bool constant = best_->order.constant;
    for (const auto& [dp, dq] : kMoves)
      if (consider(order(at.p, at.q, at.sp + dp, at.sq + dq, constant))) return true;
    for (const auto& [dp, dq] : kMoves)
      if (consider(order(at.p + dp, at.q + dq, at.sp, at.sq, constant))) return true;
    const bool may_have_constant = base_.differencing.ordinary + base_.differencing.seasonal <= 1;
    return may_have_constant && consider(order(at.p, at.q, at.sp, at.sq, !constant));
  }

  // A neighbour that starts where the best one ended may sit in its valley; a second start costs as much again.
  static constexpr double kWorthASecondStart = 0;

  std::span<const double> z_;
  ArimaOrder base_;
  ArimaSearch limits_;
  std::vector<ArimaOrder> seen_;
  std::optional<ArimaFit> best_;
};

// Straight lines across the gaps; ends are held.
std::vector<double> bridged(std::span<const double> z) {
  std::vector<double> result(z.begin(), z.end());
  std::size_t known = z.size();
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (std::isnan(z[i])) continue;
    const std::size_t first = known == z.size() ? 0 : known + 1;
    const double from = known == z.size() ? z[i] : z[known];
    const auto width = static_cast<double>(i - first + 1);
    for (std::size_t j = first; j < i; ++j)
      result[j] = from + (z[i] - from) * static_cast<double>(j - first + 1) / width;
    known = i;
  }
  for (std::size_t j = known + 1; j < z.size(); ++j) result[j] = z[known];
  return result;
}

std::vector<double> seasonally_differenced(const std::vector<double>& z, std::size_t season) {
  std::vector<double> result;
  for (std::size_t i = season; i < z.size(); ++i) result.push_back(z[i] - z[i - season]);
  return result;
}

// The order was found on the bridged series, for the filter that knows gaps costs the square of the state at each
// point; for the same reason only short states are estimated anew with it.
ArimaFit with_gaps(std::span<const double> z, const ArimaFit& bridged_fit) {
  const ArimaLikelihood exact(z, bridged_fit.order);
  ArimaFit fit = bridged_fit.order.arma.season > 1 ? exact.at(bridged_fit.u) : exact.maximise(bridged_fit.u);
  return std::isfinite(fit.log_likelihood) ? fit : bridged_fit;
}

// Fits for the search leave the harmonics out of a long season; the order they lead to is fitted with them once.
ArimaFit with_harmonics(std::span<const double> z, const ArimaFit& fit, std::size_t harmonics, double season) {
  ArimaOrder order = fit.order;
  order.harmonics = harmonics;
  order.long_season = season;
  ArimaFit richer = ArimaLikelihood(z, order).maximise(carried_over(order.arma, fit.u, order.arma));
  return richer.aicc < fit.aicc ? richer : fit;
}

}  // namespace

ArimaFit search_arima(std::span<const double> z, std::size_t season, const ArimaSearch& limits) {
  std::vector<double> whole = bridged(z);
  ArimaOrder start;
  start.arma.season = start.differencing.season = z.size() < 2 * season + 5 ? 1 : season;
  start.differencing.seasonal = seasonal_differences_needed(whole, start.arma.season);
  if (start.differencing.seasonal > 0) whole = seasonally_differenced(whole, season);
  start.differencing.ordinary = differences_needed(whole);
  if (std::ranges::none_of(z, [](double value) { return std::isnan(value); })) return Walk(z, start, limits).run();
  const std::vector<double> complete = bridged(z);
  return with_gaps(z, Walk(complete, start, limits).run());
}

Arima::Arima(const ArimaSpec& spec) : PathModel(std::string("arima") + suffix(spec.scale), spec.scale), spec_(spec) {}

std::unique_ptr<Recursion> Arima::estimate(const Scaled& series) const {
  const std::span<const double> z(series.z);
  const bool long_season = series.season > spec_.longest_season;
  ArimaFit fit = search_arima(z, long_season ? 1 : series.season, spec_.search);
  if (long_season && z.size() >= 2 * series.season)
    fit = with_harmonics(z, fit, spec_.harmonics, static_cast<double>(series.season));
  return arima_recursion(fit);
}

}  // namespace foreflow::predictor
