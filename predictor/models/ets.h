// SPDX-License-Identifier: Apache-2.0
// Exponential smoothing in its state space form: error, trend and season each additive or multiplicative.
// Place: predictor/models. Source: Hyndman, Koehler, Ord & Snyder 2008.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

enum class Component : char { kNone = 'N', kAdditive = 'A', kMultiplicative = 'M' };

struct EtsForm {
  Component error = Component::kAdditive;
  Component trend = Component::kNone;
  Component season = Component::kNone;
  bool damped = false;

  std::string name() const;  // "AAdN"
  bool operator==(const EtsForm&) const = default;
};

// The forms whose variance stays finite, simplest first: no additive error beside a multiplicative component, no
// additive season beside a multiplicative trend. Multiplicative trends only on demand: their forecasts explode.
std::vector<EtsForm> admissible_forms(bool positive, bool seasonal, bool multiplicative_trend = false);

struct EtsParameters {
  double alpha = 0, beta = 0, gamma = 0, phi = 1;
};

// Level, slope and the season's shape; season[0] is the one of the next point.
struct EtsState {
  double level = 0, slope = 0;
  std::vector<double> season;
};

struct EtsFit {
  EtsForm form;
  EtsParameters parameters;
  EtsState start;
  double log_likelihood = 0;  // up to the constant that forecast::ets leaves out
  double aicc = 0;            // counts parameters, initial states and the variance; infinite for too short a series
};

// Of a series that starts in `start`, up to the constant that forecast::ets leaves out. -infinity where the form does
// not allow the series.
double ets_log_likelihood(std::span<const double> z, const EtsForm& form, const EtsParameters& parameters,
                          EtsState start);

// Maximum likelihood over parameters (within the usual bounds and phi in .8-.98) and initial states. z: NaN = missing,
// known points positive where a component is multiplicative. Empty where the form does not fit the series at all.
std::optional<EtsFit> fit_ets(std::span<const double> z, std::size_t season, const EtsForm& form);

// Ready to be stepped from the first point of the series that was fitted.
std::unique_ptr<Recursion> ets_recursion(const EtsFit& fit);

struct EtsSpec {
  Scale scale = Scale::kRaw;
  std::size_t longest_season = 24;  // longer ones are left to other models
  std::size_t most_points = 2'016;  // older points are not estimated from
};

// The form with the lowest corrected Akaike criterion.
class Ets final : public PathModel {
 public:
  explicit Ets(const EtsSpec& spec = {});

  std::size_t needs(std::size_t) const override { return 8; }
  std::size_t most_points(std::size_t) const override { return spec_.most_points; }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  EtsSpec spec_;
};

// The best of admissible_forms(); empty where none fits (a constant series).
std::optional<EtsFit> select_ets(std::span<const double> z, std::size_t season);

}  // namespace foreflow::predictor
