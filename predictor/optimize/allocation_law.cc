// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/allocation_law.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

// Weights at a place of the walk; linear in between. Each column rises.
struct Mixture {
  double place;
  double forecast;
  double usual;
  double hours;
  double highest;
};

constexpr std::array kMixtures{
    Mixture{0, .72, .06, .03, 0},   Mixture{5, .72, .30, .15, 0},     Mixture{12, .72, .55, .38, 0},
    Mixture{15, .72, .55, .38, .1}, Mixture{38, .72, .55, .38, 1.84},
};

// Where each knob stands: closest together where 5 % or 1 % is unserved, which for processors and memory is far earlier
// than for the network; there a step costs most.
constexpr std::array<double, 25> kPlaces{0, .7,   1,  1.5, 2,  2.2,  2.6, 3.2, 4,  4.4, 5,  6, 7.5,
                                         9, 10.5, 12, 13,  14, 14.5, 15,  17,  20, 23,  27, 38};
static_assert(kPlaces.size() == static_cast<std::size_t>(kMostKnob) + 1);

double place_of(double knob) {
  const double asked = std::clamp(knob, 0.0, kMostKnob);
  const auto below = std::min(static_cast<std::size_t>(asked), kPlaces.size() - 2);
  return std::lerp(kPlaces[below], kPlaces[below + 1], asked - static_cast<double>(below));
}

Mixture mixture(double knob) {
  const double place = place_of(knob);
  std::size_t above = 1;
  while (above + 1 < kMixtures.size() && kMixtures[above].place < place) ++above;
  const Mixture& a = kMixtures[above - 1];
  const Mixture& b = kMixtures[above];
  const double part = (place - a.place) / (b.place - a.place);
  auto between = [part](double x, double y) { return x + part * (y - x); };
  return {place, between(a.forecast, b.forecast), between(a.usual, b.usual), between(a.hours, b.hours),
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
  const auto distance = [target](double share) { return std::abs(std::log(std::max(share, 1e-12) / target)); };
  const auto nearest = std::ranges::min_element(unserved, {}, distance);
  return static_cast<std::size_t>(nearest - unserved.begin());
}

}  // namespace foreflow::predictor
