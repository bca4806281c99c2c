// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "predictor/models/history.h"
#include "predictor/models/least_squares.h"
#include "predictor/models/period.h"

namespace foreflow::predictor {
namespace {

// How the usual value of a point is averaged from former periods.
struct Usual {
  std::size_t length = 1;
  std::size_t copies = 1;
  double decay = 1;
  std::size_t half_window = 0;  // neighbours on each side that are averaged with it

  std::size_t reach() const { return copies * length + half_window; }

  // For the point after the last of `past`; NaN while there is not yet a whole period.
  double after(std::span<const double> past) const {
    double sum = 0, weights = 0, weight = 1;
    for (std::size_t copy = 1; copy <= copies && copy * length <= past.size(); ++copy, weight *= decay) {
      const std::size_t centre = past.size() - copy * length;
      const std::size_t first = centre - std::min(centre, half_window);
      const std::size_t end = std::min(centre + half_window + 1, past.size());
      for (std::size_t i = first; i < end; ++i) sum += weight * past[i];
      weights += weight * static_cast<double>(end - first);
    }
    return weights > 0 ? sum / weights : std::nan("");
  }
};

class Departing final : public Recursion {
 public:
  Departing(const Usual& usual, std::vector<std::size_t> lags, const Eigen::VectorXd& weights)
      : usual_(usual),
        lags_(std::move(lags)),
        weights_(weights.begin(), weights.end()),
        values_(usual.reach()),
        departures_(lags_.back()) {}

  void step(double z) override {
    const double known = std::isnan(z) ? next(*this) : z;
    if (const double expected = usual_.after(values_.view()); !std::isnan(expected)) departures_.push(known - expected);
    values_.push(known);
  }

  void ahead(std::span<double> path) const override {
    if (departures_.empty()) {
      std::ranges::fill(path, values_.empty() ? 0 : values_.view().back());
      return;
    }
    std::vector<double> values = with_room(values_.view(), path.size());
    std::vector<double> departures = with_room(departures_.view(), path.size());
    for (double& z : path) {
      double departure = 0;
      for (std::size_t k = 0; k < lags_.size() && lags_[k] <= departures.size(); ++k)
        departure += weights_[k] * departures[departures.size() - lags_[k]];
      departures.push_back(departures_.plausible(departure));
      values.push_back(z = values_.plausible(usual_.after(values) + departures.back()));
    }
  }

  std::size_t warm_up() const override { return usual_.length + lags_.back(); }

 private:
  static std::vector<double> with_room(std::span<const double> past, std::size_t more) {
    std::vector<double> all;
    all.reserve(past.size() + more);
    all.assign(past.begin(), past.end());
    return all;
  }

  Usual usual_;
  std::vector<std::size_t> lags_;
  std::vector<double> weights_;
  History values_;
  History departures_;
};

// Departures from the usual, NaN where the point is missing; those before the first whole period are left out.
std::vector<double> departures_of(std::span<const double> z, const Usual& usual) {
  std::vector<double> past, departures;
  past.reserve(z.size());
  for (const double value : z) {
    const double expected = usual.after(past);
    if (!std::isnan(expected)) departures.push_back(value - expected);
    const double stand_in = !std::isnan(expected) ? expected : past.empty() ? 0 : past.back();
    past.push_back(std::isnan(value) ? stand_in : value);
  }
  return departures;
}

// Rows of one robust regression of departures on their own past.
class Autoregression {
 public:
  Autoregression(const std::vector<double>& departures, const std::vector<std::size_t>& lags)
      : departures_(departures), lags_(lags), row_(static_cast<Eigen::Index>(lags.size())) {}

  // Iteratively reweighted: errors beyond kBend robust standard deviations count by their size only.
  Eigen::VectorXd estimate(double ridge) {
    Eigen::VectorXd weights = solve(ridge, Eigen::VectorXd::Zero(row_.size()), std::numeric_limits<double>::infinity());
    for (int round = 0; round < kRounds; ++round) weights = solve(ridge, weights, kBend * spread(weights));
    return weights;
  }

 private:
  static constexpr int kRounds = 3;
  static constexpr double kBend = 2;
  static constexpr double kMadToSigma = 1.4826;

  template <typename Use>
  void for_each_row(Use use) {
    for (std::size_t i = lags_.back(); i < departures_.size(); ++i) {
      for (std::size_t k = 0; k < lags_.size(); ++k) row_[static_cast<Eigen::Index>(k)] = departures_[i - lags_[k]];
      if (!std::isnan(departures_[i]) && row_.allFinite()) use(departures_[i]);
    }
  }

  Eigen::VectorXd solve(double ridge, const Eigen::VectorXd& before, double bend) {
    NormalEquations equations(row_.size());
    for_each_row([&](double target) {
      const double error = std::abs(target - row_.dot(before));
      equations.add(row_, target, error > bend ? bend / error : 1);
    });
    return equations.solve(ridge);
  }

  double spread(const Eigen::VectorXd& weights) {
    std::vector<double> errors;
    for_each_row([&](double target) { errors.push_back(std::abs(target - row_.dot(weights))); });
    if (errors.empty()) return 0;
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::ranges::nth_element(errors, middle);
    return kMadToSigma * *middle;
  }

  const std::vector<double>& departures_;
  const std::vector<std::size_t>& lags_;
  Eigen::VectorXd row_;
};

std::string family(const ProfileSpec& spec) {
  return std::string(spec.seasons == 1 ? "day_profile" : "week_profile") + suffix(spec.scale);
}

}  // namespace

Profile::Profile(const ProfileSpec& spec) : PathModel(family(spec), spec.scale), spec_(spec) {}

std::unique_ptr<Recursion> Profile::estimate(const Scaled& series) const {
  const Usual usual{.length = true_period(series.z, spec_.seasons * series.season),
                    .copies = spec_.copies,
                    .decay = spec_.decay,
                    .half_window = series.season / 144};
  const std::span<const double> z(series.z);
  const std::vector<double> departures =
      departures_of(z.last(std::min(z.size(), usual.reach() + 21 * series.season)), usual);
  std::vector<std::size_t> lags;
  const std::size_t longest = std::max<std::size_t>(departures.size() / 3, 1);
  for (std::size_t lag = 1; lag <= std::min(spec_.recent, longest); ++lag) lags.push_back(lag);
  for (std::size_t day = 1; spec_.daily_lags && day <= 7; ++day)
    if (const std::size_t lag = day * series.season; lag > spec_.recent && lag <= longest) lags.push_back(lag);
  const Eigen::VectorXd weights = Autoregression(departures, lags).estimate(spec_.ridge);
  return std::make_unique<Departing>(usual, std::move(lags), weights);
}

}  // namespace foreflow::predictor
