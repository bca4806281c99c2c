// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/allocation_law.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

// Weights at a value of the knob; linear in between. Each column rises.
struct Mixture {
  double knob;
  double forecast;
  double usual;
  double hours;
  double highest;
};

// Closest together where 1 % is usually unserved: there a step costs most.
constexpr std::array kMixtures{
    Mixture{0, .72, .06, .03, 0},   Mixture{5, .72, .30, .15, 0},           Mixture{12, .72, .55, .38, 0},
    Mixture{15, .72, .55, .38, .1}, Mixture{kMostKnob, .72, .55, .38, .78},
};

Mixture mixture(double knob) {
  const double asked = std::clamp(knob, 0.0, kMostKnob);
  std::size_t above = 1;
  while (above + 1 < kMixtures.size() && kMixtures[above].knob < asked) ++above;
  const Mixture& a = kMixtures[above - 1];
  const Mixture& b = kMixtures[above];
  const double part = (asked - a.knob) / (b.knob - a.knob);
  auto between = [part](double x, double y) { return x + part * (y - x); };
  return {asked, between(a.forecast, b.forecast), between(a.usual, b.usual), between(a.hours, b.hours),
          between(a.highest, b.highest)};
}

}  // namespace

double allocation(const Evidence& evidence, double knob) {
  const Mixture weights = mixture(knob);
  // Between the two quantiles, about the 98 % one: geometric, as demand is.
  const double forecast = std::expm1((std::log1p(evidence.q95) + std::log1p(evidence.q99)) / 2);
  return weights.forecast * forecast + weights.usual * evidence.usual + weights.hours * evidence.hours +
         weights.highest * evidence.highest;
}

std::size_t knob_for(std::span<const double> unserved, double target) {
  for (std::size_t knob = 0; knob < unserved.size(); ++knob)
    if (unserved[knob] <= target) return knob;
  return unserved.empty() ? 0 : unserved.size() - 1;
}

}  // namespace foreflow::predictor
