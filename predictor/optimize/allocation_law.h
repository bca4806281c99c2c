// SPDX-License-Identifier: Apache-2.0
// How much to allocate for the next interval, from a quantile forecast and from how high the series has been.
// Place: predictor/optimize; the backtest sweeps its knob.
//
// An allocation that may fall short by a small share of the bytes must cover bursts that no forecast of quantiles
// sees coming. Which mixture of evidence is cheapest depends on how little may be missed: at 5 % the forecast alone, at
// 1 % as much weight on what is usual at this time and on the last hours, below that on how far the series has swung
// lately and on the highest of the last weeks. One knob walks along these mixtures; every weight grows with it, so that
// a larger knob never allocates less.
#pragma once
#include <array>
#include <cstddef>
#include <span>

namespace foreflow::predictor {

// In the unit of the series.
struct Evidence {
  double q90 = 0;    // of the forecast for the interval
  double q99 = 0;    // the same, at least q90
  double usual = 0;  // UsualPeaks::usual()
  double hours = 0;  // UsualPeaks::hours()
  double swing = 0;  // UsualPeaks::swing()
  double day = 0;    // UsualPeaks::day()
  double week = 0;   // UsualPeaks::week()
  double month = 0;  // UsualPeaks::month()
};

// `knob` from 0 (the least) to kMostKnob. Not negative and finite for finite evidence.
double allocation(const Evidence& evidence, double knob);

inline constexpr double kMostKnob = 24;

// The knob among 0, 1, ... kMostKnob whose share of unserved demand came nearest to `target` (above 0), as a ratio, on
// past steps: unserved[k] for knob k, falling. 0 for none.
std::size_t knob_for(std::span<const double> unserved, double target);

}  // namespace foreflow::predictor
