// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/theta.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "predictor/optimize/nelder_mead.h"

namespace foreflow::predictor {
namespace {

constexpr double kLeastAlpha = 1e-4, kMostAlpha = .9999, kMostTheta = 50;

// The model on a series without season.
class ThetaFilter {
 public:
  explicit ThetaFilter(const ThetaFit& fit)
      : dynamic_(fit.kind == ThetaKind::kDynamic),
        share_(1 - 1 / fit.theta),
        alpha_(fit.alpha),
        level_(fit.level),
        intercept_(dynamic_ ? 0 : fit.intercept),
        slope_(dynamic_ ? 0 : fit.slope) {}

  double expected() const {
    const double remembered = fade_ * (1 - alpha_);
    return level_ + share_ * (fade_ * intercept_ + (1 - remembered) / alpha_ * slope_);
  }

  void step(double y) {
    level_ += alpha_ * (y - level_);
    fade_ *= 1 - alpha_;
    count_ += 1;
    const double mean_before = mean_;
    mean_ += (y - mean_) / count_;
    if (!dynamic_) return;
    // The least squares line through the points so far, one point further.
    if (count_ > 1) slope_ = ((count_ - 2) * slope_ + 6 / count_ * (y - mean_before)) / (count_ + 1);
    intercept_ = mean_ - (count_ + 1) / 2 * slope_;
  }

 private:
  bool dynamic_;
  double share_, alpha_;
  double level_, intercept_, slope_;
  double fade_ = 1;  // (1 - alpha)^count
  double count_ = 0, mean_ = 0;
};

class Bent final : public Recursion {
 public:
  explicit Bent(const ThetaFit& fit) : filter_(fit), season_(fit.season) {}

  void step(double z) override {
    filter_.step(std::isnan(z) ? filter_.expected() : z / factor(at_));
    if (!std::isnan(z)) last_ = z;
    ++at_;
  }

  void ahead(std::span<double> path) const override {
    ThetaFilter filter = filter_;
    for (std::size_t h = 0; h < path.size(); ++h) {
      const double expected = filter.expected();
      filter.step(expected);
      path[h] = std::isfinite(expected) ? expected * factor(at_ + h) : last_;
    }
  }

  std::size_t warm_up() const override { return 2; }

 private:
  double factor(std::size_t at) const { return season_.empty() ? 1 : season_[at % season_.size()]; }

  ThetaFilter filter_;
  std::vector<double> season_;
  std::size_t at_ = 0;
  double last_ = 0;
};

double autocovariance(std::span<const double> z, double mean, std::size_t lag) {
  double sum = 0;
  for (std::size_t i = lag; i < z.size(); ++i)
    if (const double product = (z[i] - mean) * (z[i - lag] - mean); !std::isnan(product)) sum += product;
  return sum;
}

double mean_of(std::span<const double> z) {
  double sum = 0, count = 0;
  for (const double value : z)
    if (!std::isnan(value)) sum += value, count += 1;
  return count > 0 ? sum / count : 0;
}

bool is_seasonal(std::span<const double> z, std::size_t season) {
  constexpr double kTenPercent = 1.6448536269514722;
  if (season < 2 || z.size() <= 2 * season) return false;
  if (std::ranges::any_of(z, [](double value) { return value <= 0; })) return false;
  const double mean = mean_of(z), variance = autocovariance(z, mean, 0);
  if (!(variance > 0)) return false;
  double squares = 0;
  for (std::size_t lag = 1; lag < season; ++lag) {
    const double r = autocovariance(z, mean, lag) / variance;
    squares += r * r;
  }
  const double limit = kTenPercent * std::sqrt((1 + 2 * squares) / static_cast<double>(z.size()));
  return std::abs(autocovariance(z, mean, season) / variance) > limit;
}

// Mean ratio of each phase to the moving average over one season centred on it, scaled to a mean of 1.
std::vector<double> season_factors(std::span<const double> z, std::size_t season) {
  std::vector<double> factors(season, 0.0), counts(season, 0.0);
  const std::size_t half = season / 2;
  for (std::size_t i = half; i + half < z.size(); ++i) {
    double sum = 0;
    for (std::size_t j = i - half; j <= i + half; ++j) {
      const bool is_end = season % 2 == 0 && (j == i - half || j == i + half);
      sum += is_end ? z[j] / 2 : z[j];
    }
    const double ratio = z[i] * static_cast<double>(season) / sum;
    if (!std::isfinite(ratio)) continue;
    factors[i % season] += ratio;
    counts[i % season] += 1;
  }
  double total = 0;
  for (std::size_t i = 0; i < season; ++i) total += factors[i] = counts[i] > 0 ? factors[i] / counts[i] : 1;
  for (double& factor : factors) factor *= static_cast<double>(season) / total;
  const bool usable = std::ranges::all_of(factors, [](double factor) { return factor > 1e-10; });
  return usable ? factors : std::vector<double>{};
}

void fit_line(std::span<const double> z, ThetaFit& fit) {
  double n = 0, t = 0, tt = 0, y = 0, ty = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (std::isnan(z[i])) continue;
    const auto at = static_cast<double>(i + 1);
    n += 1, t += at, tt += at * at, y += z[i], ty += at * z[i];
  }
  const double determinant = n * tt - t * t;
  fit.slope = determinant > 0 ? (n * ty - t * y) / determinant : 0;
  fit.intercept = n > 0 ? (y - fit.slope * t) / n : 0;
}

double mean_square(std::span<const double> z, const ThetaFit& fit) {
  ThetaFilter filter(fit);
  double squares = 0, count = 0;
  for (const double value : z) {
    const double expected = filter.expected();
    if (!std::isnan(value)) squares += (value - expected) * (value - expected), count += 1;
    filter.step(std::isnan(value) ? expected : value);
  }
  return squares / count;
}

// alpha, level and, where it is free, theta from the whole space.
ThetaFit decoded(ThetaFit fit, const Eigen::VectorXd& u, double scale) {
  const auto between = [](double low, double high, double v) { return low + (high - low) / (1 + std::exp(-v)); };
  fit.alpha = between(kLeastAlpha, kMostAlpha, u[0]);
  fit.level += scale * u[1];
  if (u.size() > 2) fit.theta = between(1, kMostTheta, u[2]);
  return fit;
}

}  // namespace

ThetaFit fit_theta(std::span<const double> z, std::size_t season, ThetaKind kind) {
  ThetaFit fit;
  fit.kind = kind;
  std::vector<double> adjusted(z.begin(), z.end());
  if (is_seasonal(z, season)) fit.season = season_factors(z, season);
  for (std::size_t i = 0; !fit.season.empty() && i < adjusted.size(); ++i) adjusted[i] /= fit.season[i % season];
  const double mean = mean_of(adjusted);
  const double scale = std::sqrt(autocovariance(adjusted, mean, 0) / static_cast<double>(adjusted.size()));
  fit_line(adjusted, fit);
  fit.level = mean_of(std::span(adjusted).first(std::min<std::size_t>(adjusted.size(), 10)));
  if (kind != ThetaKind::kStandard) fit.level /= 2;
  if (!(scale > 0)) {
    fit.theta = 1;
    fit.level = mean;
    return fit;
  }
  // theta = 1 is smoothing alone: the line has no share. Its slope is added afterwards, for the level is smoothed
  // already.
  ThetaFit base = fit;
  if (kind == ThetaKind::kStandard) base.theta = 1, base.intercept = 0;
  const auto objective = [&](const Eigen::VectorXd& u) { return mean_square(adjusted, decoded(base, u, scale)); };
  Minimum best{.at = {}, .value = std::numeric_limits<double>::infinity()};
  constexpr std::pair<double, double> kStarts[] = {{-1.5, -3.5}, {1.5, -3.5}, {-6, -1.5}, {-8, 2}};
  for (const auto& [alpha, bend] : kStarts) {
    Eigen::VectorXd u = Eigen::VectorXd::Zero(kind == ThetaKind::kStandard ? 2 : 3);
    u[0] = alpha;
    if (u.size() > 2) u[2] = bend;
    Minimum found = nelder_mead(objective, u, {.first_step = .5, .tolerance = 1e-12, .evaluations = 1'000});
    if (found.value < best.value) best = std::move(found);
  }
  if (best.at.size() == 0) return fit;
  const double theta = fit.theta;
  fit = decoded(std::move(base), best.at, scale);
  if (kind == ThetaKind::kStandard) fit.theta = theta;
  fit.mean_square = best.value;
  return fit;
}

std::unique_ptr<Recursion> theta_recursion(const ThetaFit& fit) { return std::make_unique<Bent>(fit); }

Theta::Theta(ThetaKind kind, Scale scale)
    : PathModel(std::string(kind == ThetaKind::kStandard    ? "theta"
                            : kind == ThetaKind::kOptimised ? "optimised_theta"
                                                            : "dynamic_theta") +
                    suffix(scale),
                scale),
      kind_(kind) {}

std::unique_ptr<Recursion> Theta::estimate(const Scaled& series) const {
  return theta_recursion(fit_theta(series.z, series.season, kind_));
}

}  // namespace foreflow::predictor
