// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/ets.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "predictor/models/ets_filter.h"
#include "predictor/models/naive.h"
#include "predictor/optimize/bfgs.h"
#include "predictor/optimize/nelder_mead.h"

namespace foreflow::predictor {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Smoothing final : public Recursion {
 public:
  explicit Smoothing(const EtsFit& fit) : filter_(fit.form, fit.parameters, fit.start), last_(fit.start.level) {}

  void step(double z) override {
    if (!std::isnan(z)) last_ = z;
    filter_.step(std::isnan(z) ? filter_.expected() : z);
  }

  void ahead(std::span<double> path) const override {
    EtsFilter filter = filter_;
    for (double& z : path) {
      z = filter.expected();
      filter.step(z);
      if (!std::isfinite(z)) z = last_;
    }
  }

  std::size_t warm_up() const override { return 2; }

 private:
  EtsFilter filter_;
  double last_;
};

// Straight line through the first points of a series with gaps.
struct Line {
  double level = 0, slope = 0;
};
Line first_line(std::span<const double> z, std::size_t count) {
  double n = 0, t = 0, tt = 0, y = 0, ty = 0;
  for (std::size_t i = 0; i < std::min(count, z.size()); ++i) {
    if (std::isnan(z[i])) continue;
    const auto at = static_cast<double>(i + 1);
    n += 1, t += at, tt += at * at, y += z[i], ty += at * z[i];
  }
  const double determinant = n * tt - t * t;
  if (!(n >= 1)) return {};
  const double slope = determinant > 0 ? (n * ty - t * y) / determinant : 0;
  return {(y - slope * t) / n, slope};
}

// Mean departure of each phase from a straight line through the first four seasons.
std::vector<double> first_shape(std::span<const double> z, std::size_t season, Component kind) {
  const std::size_t count = std::min(z.size(), 4 * season);
  const Line line = first_line(z, count / season * season);
  std::vector<double> shape(season, 0.0), counts(season, 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    const double usual = line.level + line.slope * static_cast<double>(i + 1);
    const double departure = kind == Component::kAdditive ? z[i] - usual : z[i] / usual;
    if (!std::isfinite(departure)) continue;
    shape[i % season] += departure;
    counts[i % season] += 1;
  }
  double sum = 0;
  for (std::size_t i = 0; i < season; ++i) {
    shape[i] = counts[i] > 0 ? shape[i] / counts[i] : kind == Component::kAdditive ? 0 : 1;
    if (kind == Component::kMultiplicative) shape[i] = std::max(shape[i], .01);
    sum += shape[i];
  }
  const double mean = sum / static_cast<double>(season);
  for (double& part : shape) part = kind == Component::kAdditive ? part - mean : part / mean;
  return shape;
}

EtsState first_state(std::span<const double> z, std::size_t season, const EtsForm& form) {
  EtsState state;
  std::vector<double> adjusted(
      z.begin(), z.begin() + static_cast<std::ptrdiff_t>(std::min(z.size(), std::max<std::size_t>(10, 2 * season))));
  if (form.season != Component::kNone) {
    state.season = first_shape(z, season, form.season);
    for (std::size_t i = 0; i < adjusted.size(); ++i)
      adjusted[i] = form.season == Component::kAdditive ? adjusted[i] - state.season[i % season]
                                                        : adjusted[i] / state.season[i % season];
  }
  const Line line = first_line(adjusted, adjusted.size());
  state.level = line.level;
  if (form.trend == Component::kNone) state.level += line.slope * static_cast<double>(adjusted.size()) / 4;
  if (form.trend == Component::kAdditive) state.slope = line.slope;
  if (form.trend == Component::kMultiplicative) {
    const double start = std::max(line.level, 1e-3 * std::abs(line.level + line.slope));
    state.level = start;
    state.slope = start > 0 ? std::clamp(1 + line.slope / start, .8, 1.2) : 1;
  }
  return state;
}

double logistic(double u) { return 1 / (1 + std::exp(-u)); }
double logit(double p) { return std::log(p / (1 - p)); }

// Where the search begins: alpha, and the shares of beta in alpha and of gamma in what alpha leaves. The likelihood has
// a valley at each of them.
struct Start {
  double alpha, beta, gamma;
};
constexpr Start kStarts[] = {{.2, .1, .1}, {.7, .1, .1}, {.002, .9, .01}};
constexpr std::size_t kOneStart = 13;  // from this season on the first alone: each costs a search over all its states

// Between parameters with initial states and the free vector of the optimiser.
class Coding {
 public:
  Coding(const EtsForm& form, EtsState start, double scale) : form_(form), start_(std::move(start)), scale_(scale) {}

  Eigen::Index smoothing() const {
    return 1 + (form_.trend != Component::kNone) + (form_.season != Component::kNone) + form_.damped;
  }
  Eigen::Index states() const {
    const auto season = static_cast<Eigen::Index>(start_.season.size());
    return 1 + (form_.trend != Component::kNone) + std::max<Eigen::Index>(season - 1, 0);
  }

  Eigen::VectorXd first_guess(const Start& start) const {
    Eigen::VectorXd u = Eigen::VectorXd::Zero(smoothing() + states());
    Eigen::Index at = 0;
    u[at++] = logit(start.alpha);
    if (form_.trend != Component::kNone) u[at++] = logit(start.beta);
    if (form_.season != Component::kNone) u[at++] = logit(start.gamma);
    if (form_.damped) u[at++] = logit(.9);
    return u;
  }

  EtsParameters parameters(const Eigen::VectorXd& u) const {
    constexpr double kLeast = 1e-4, kDampedLeast = .8, kDampedMost = .98;
    EtsParameters result;
    Eigen::Index at = 0;
    result.alpha = kLeast + (1 - 2 * kLeast) * logistic(u[at++]);
    if (form_.trend != Component::kNone) result.beta = kLeast + (result.alpha - kLeast) * logistic(u[at++]);
    if (form_.season != Component::kNone) result.gamma = kLeast + (1 - result.alpha - kLeast) * logistic(u[at++]);
    if (form_.damped) result.phi = kDampedLeast + (kDampedMost - kDampedLeast) * logistic(u[at++]);
    return result;
  }

  // The parts of a season sum to 0, or to their number.
  EtsState state(const Eigen::VectorXd& u) const {
    EtsState result = start_;
    Eigen::Index at = smoothing();
    result.level += scale_ * u[at++];
    if (form_.trend == Component::kAdditive) result.slope += .1 * scale_ * u[at++];
    if (form_.trend == Component::kMultiplicative) result.slope += .02 * u[at++];
    if (result.season.empty()) return result;
    const double unit = form_.season == Component::kAdditive ? scale_ : .1;
    double moved = 0;
    for (std::size_t i = 0; i + 1 < result.season.size(); ++i) {
      result.season[i] += unit * u[at];
      moved += unit * u[at++];
    }
    result.season.back() -= moved;
    return result;
  }

 private:
  EtsForm form_;
  EtsState start_;
  double scale_;
};

// n log(sum of squared relative errors) + 2 sum log |expected|, as forecast::ets minimises.
double deviance(std::span<const double> z, const EtsForm& form, const EtsParameters& parameters, EtsState start) {
  EtsFilter filter(form, parameters, std::move(start));
  const bool positive = form.error == Component::kMultiplicative || form.trend == Component::kMultiplicative ||
                        form.season == Component::kMultiplicative;
  double squares = 0, logs = 0, count = 0;
  for (const double value : z) {
    const double expected = filter.expected();
    if (positive && !(expected > 0)) return kInfinity;
    if (std::isnan(value)) {
      filter.step(expected);
      continue;
    }
    const double error = form.error == Component::kMultiplicative ? (value - expected) / expected : value - expected;
    if (form.error == Component::kMultiplicative) logs += std::log(expected);
    squares += error * error;
    count += 1;
    filter.step(value);
  }
  const double result = count * std::log(squares) + 2 * logs;
  return std::isfinite(result) ? result : kInfinity;
}

// Smoothing parameters (the first `smoothing`) alone, then all together.
Minimum minimise(const Objective& objective, Eigen::VectorXd u, Eigen::Index smoothing) {
  const auto smoothing_only = [&](const Eigen::VectorXd& part) {
    Eigen::VectorXd whole = u;
    whole.head(smoothing) = part;
    return objective(whole);
  };
  const Minimum rough =
      nelder_mead(smoothing_only, u.head(smoothing), {.first_step = .5, .tolerance = 1e-6, .evaluations = 120});
  if (!std::isfinite(rough.value)) return {u, kInfinity, rough.evaluations, false};
  u.head(smoothing) = rough.at;
  return bfgs(objective, u, {.tolerance = 1e-9, .difference = 1e-4, .iterations = 100});
}

double spread(std::span<const double> z) {
  double n = 0, sum = 0, squares = 0;
  for (const double value : z)
    if (!std::isnan(value)) n += 1, sum += value, squares += value * value;
  return n > 1 ? std::sqrt(std::max(squares / n - sum / n * (sum / n), 0.0)) : 0;
}

}  // namespace

std::string EtsForm::name() const {
  std::string result{static_cast<char>(error), static_cast<char>(trend)};
  if (damped) result += 'd';
  return result + static_cast<char>(season);
}

std::vector<EtsForm> admissible_forms(bool positive, bool seasonal, bool multiplicative_trend) {
  using enum Component;
  std::vector<EtsForm> forms;
  for (const Component season : {kNone, kAdditive, kMultiplicative})
    for (const Component trend : {kNone, kAdditive, kMultiplicative})
      for (const bool damped : {false, true})
        for (const Component error : {kAdditive, kMultiplicative}) {
          if (damped && trend == kNone) continue;
          if (season != kNone && !seasonal) continue;
          if (trend == kMultiplicative && !multiplicative_trend) continue;
          const bool multiplicative = trend == kMultiplicative || season == kMultiplicative;
          if (!positive && (multiplicative || error == kMultiplicative)) continue;
          if (error == kAdditive && multiplicative) continue;
          if (trend == kMultiplicative && season == kAdditive) continue;
          forms.push_back({error, trend, season, damped});
        }
  return forms;
}

double ets_log_likelihood(std::span<const double> z, const EtsForm& form, const EtsParameters& parameters,
                          EtsState start) {
  return -deviance(z, form, parameters, std::move(start)) / 2;
}

std::optional<EtsFit> fit_ets(std::span<const double> z, std::size_t season, const EtsForm& form) {
  const double scale = spread(z);
  if (!(scale > 0) || !std::isfinite(scale)) return std::nullopt;
  const Coding coding(form, first_state(z, season, form), scale);
  const auto objective = [&](const Eigen::VectorXd& u) {
    return deviance(z, form, coding.parameters(u), coding.state(u));
  };
  Minimum found{.at = {}, .value = kInfinity};
  const bool dear = form.season != Component::kNone && season >= kOneStart;
  for (const Start& start : std::span(kStarts).first(dear ? 1 : std::size(kStarts))) {
    Minimum minimum = minimise(objective, coding.first_guess(start), coding.smoothing());
    if (minimum.value < found.value) found = std::move(minimum);
  }
  if (!std::isfinite(found.value)) return std::nullopt;
  const auto points = static_cast<double>(std::ranges::count_if(z, [](double value) { return !std::isnan(value); }));
  const auto counted = static_cast<double>(coding.smoothing() + coding.states() + 1);
  EtsFit fit{form, coding.parameters(found.at), coding.state(found.at), -found.value / 2, kInfinity};
  if (counted < points - 1) fit.aicc = found.value + 2 * counted + 2 * counted * (counted + 1) / (points - counted - 1);
  return fit;
}

std::unique_ptr<Recursion> ets_recursion(const EtsFit& fit) { return std::make_unique<Smoothing>(fit); }

std::optional<EtsFit> select_ets(std::span<const double> z, std::size_t season) {
  const bool positive = std::ranges::none_of(z, [](double value) { return value <= 0; });
  const bool seasonal = season > 1 && z.size() > 2 * season;
  std::optional<EtsFit> best;
  for (const EtsForm& form : admissible_forms(positive, seasonal)) {
    std::optional<EtsFit> fit = fit_ets(z, season, form);
    if (fit && std::isfinite(fit->aicc) && (!best || fit->aicc < best->aicc)) best = std::move(fit);
  }
  return best;
}

Ets::Ets(const EtsSpec& spec) : PathModel(std::string("ets") + suffix(spec.scale), spec.scale), spec_(spec) {}

std::unique_ptr<Recursion> Ets::estimate(const Scaled& series) const {
  const std::span<const double> z(series.z);
  const std::optional<EtsFit> fit = select_ets(z, series.season > spec_.longest_season ? 1 : series.season);
  if (!fit) return last_value();
  return ets_recursion(*fit);
}

}  // namespace foreflow::predictor
