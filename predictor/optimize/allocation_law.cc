// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/allocation_law.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr std::size_t kKinds = 8;
using Weights = std::array<double, kKinds>;

// Weights at each whole place of the walk; linear in between. Each column rises.
//  q90, q99 - q90, usual, hours, swing, day, week, month
constexpr std::array<Weights, 7> kWalk{{
    {.825, .30, .03, .03, .325, 0, 0, 0},
    {.865, .30, .03, .165, .80, 0, 0, 0},
    {.865, .51, .28, .24, .95, 0, 0, 0},
    {.865, .51, .48, .275, .95, .07, 0, 0},
    {.865, .51, .48, .275, 1.35, .07, .30, 0},
    {.865, .51, .48, .275, 3.85, .07, .80, .05},
    {.865, .51, .48, .275, 6.85, .07, 1.80, 1.55},
}};

constexpr bool rises() {
  for (std::size_t place = 1; place < kWalk.size(); ++place)
    for (std::size_t kind = 0; kind < kKinds; ++kind)
      if (kWalk[place][kind] < kWalk[place - 1][kind]) return false;
  return true;
}
static_assert(rises());

// Where each knob stands: closest together where 5 % or 1 % is unserved, which for processors and memory is far earlier
// than for the network; there a step costs most.
constexpr std::array<double, 25> kPlaces{0,    .2,   .35,  .42, .5,   .6,   .7,  .9,  1.1, 1.36, 1.55, 1.9, 2.07,
                                         2.25, 2.55, 2.75, 2.9, 3.03, 3.23, 3.6, 4.1, 4.5, 4.8,  5.2,  6};
static_assert(kPlaces.size() == static_cast<std::size_t>(kMostKnob) + 1);

double place_of(double knob) {
  const double asked = std::clamp(knob, 0.0, kMostKnob);
  const auto below = std::min(static_cast<std::size_t>(asked), kPlaces.size() - 2);
  return std::lerp(kPlaces[below], kPlaces[below + 1], asked - static_cast<double>(below));
}

}  // namespace

double allocation(const Evidence& evidence, double knob) {
  const double place = place_of(knob);
  const auto below = std::min(static_cast<std::size_t>(place), kWalk.size() - 2);
  const double part = place - static_cast<double>(below);
  const Weights seen{evidence.q90,   evidence.q99 - evidence.q90,
                     evidence.usual, evidence.hours,
                     evidence.swing, evidence.day,
                     evidence.week,  evidence.month};
  double sum = 0;
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    sum += std::lerp(kWalk[below][kind], kWalk[below + 1][kind], part) * seen[kind];
  return sum;
}

std::size_t knob_for(std::span<const double> unserved, double target) {
  const auto distance = [target](double share) { return std::abs(std::log(std::max(share, 1e-12) / target)); };
  const auto nearest = std::ranges::min_element(unserved, {}, distance);
  return static_cast<std::size_t>(nearest - unserved.begin());
}

}  // namespace foreflow::predictor
