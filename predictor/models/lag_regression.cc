// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/lag_regression.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "predictor/models/history.h"
#include "predictor/models/least_squares.h"
#include "predictor/models/period.h"

namespace foreflow::predictor {
namespace {

using Lags = std::vector<std::size_t>;  // increasing, not empty

class Regression final : public Recursion {
 public:
  Regression(Lags lags, double mean, const Eigen::VectorXd& weights)
      : lags_(std::move(lags)), mean_(mean), weights_(weights.begin(), weights.end()), history_(lags_.back()) {}

  void step(double z) override { history_.push(std::isnan(z) ? next(*this) : z); }

  void ahead(std::span<double> path) const override {
    if (history_.empty()) {
      std::ranges::fill(path, mean_);
      return;
    }
    const std::span<const double> past = history_.view();
    std::vector<double> all(past.begin(), past.end());
    all.reserve(past.size() + path.size());
    for (double& z : path) {
      double sum = mean_;
      // Before the oldest point the series is taken to have been at its mean.
      for (std::size_t k = 0; k < lags_.size() && lags_[k] <= all.size(); ++k)
        sum += weights_[k] * (all[all.size() - lags_[k]] - mean_);
      all.push_back(z = history_.plausible(sum));
    }
  }

  std::size_t warm_up() const override { return lags_.back(); }

 private:
  Lags lags_;
  double mean_;
  std::vector<double> weights_;
  History history_;
};

void append_around(Lags& lags, std::size_t centre, std::size_t neighbours, std::size_t longest) {
  for (std::size_t lag = centre - std::min(neighbours, centre - 1); lag <= centre + neighbours; ++lag)
    if (lag <= longest) lags.push_back(lag);
}

Lags choose_lags(std::span<const double> z, std::size_t season, const LagRegressionSpec& spec) {
  Lags lags;
  const std::size_t longest = std::max<std::size_t>(z.size() / 2, 1);
  const std::size_t recent = std::clamp<std::size_t>(z.size() / 10, 1, spec.recent);
  for (std::size_t lag = 1; lag <= recent; ++lag) lags.push_back(lag);
  if (season > 1) {
    const std::size_t neighbours = std::min(spec.neighbours, std::max<std::size_t>(season / 12, 1));
    append_around(lags, true_period(z, season), neighbours, longest);
    append_around(lags, true_period(z, 7 * season), neighbours, longest);
  }
  std::ranges::sort(lags);
  lags.erase(std::unique(lags.begin(), lags.end()), lags.end());
  return lags;
}

double mean_of(std::span<const double> z) {
  double sum = 0;
  std::size_t known = 0;
  for (const double value : z)
    if (!std::isnan(value)) sum += value, ++known;
  return known > 0 ? sum / static_cast<double>(known) : 0;
}

// Rows with a missing value in them are left out.
Eigen::VectorXd regress(std::span<const double> z, const Lags& lags, double mean, double ridge) {
  NormalEquations equations(static_cast<Eigen::Index>(lags.size()));
  Eigen::VectorXd row(static_cast<Eigen::Index>(lags.size()));
  for (std::size_t i = lags.back(); i < z.size(); ++i) {
    for (std::size_t k = 0; k < lags.size(); ++k) row[static_cast<Eigen::Index>(k)] = z[i - lags[k]] - mean;
    if (!std::isnan(z[i]) && row.allFinite()) equations.add(row, z[i] - mean);
  }
  return equations.solve(ridge);
}

}  // namespace

LagRegression::LagRegression(const LagRegressionSpec& spec)
    : PathModel(std::string("lag_regression") + suffix(spec.scale), spec.scale), spec_(spec) {}

std::unique_ptr<Recursion> LagRegression::estimate(const Scaled& series) const {
  const std::span<const double> z(series.z);
  Lags lags = choose_lags(z, series.season, spec_);
  const double mean = mean_of(z);
  const Eigen::VectorXd weights = regress(z, lags, mean, spec_.ridge);
  return std::make_unique<Regression>(std::move(lags), mean, weights);
}

}  // namespace foreflow::predictor
