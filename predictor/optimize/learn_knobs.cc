// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/learn_knobs.h"

#include "predictor/models/tracked.h"
#include "predictor/optimize/evidence.h"

namespace foreflow::predictor {

void Exceedance::add(const Exceedance& other) {
  points += other.points;
  for (std::size_t knob = 0; knob < kKnobs; ++knob) above[knob] += other.above[knob];
}

Exceedance exceedance(const SeriesView& series, std::size_t first, std::size_t leads, const Model& model) {
  Exceedance seen;
  if (first >= series.size()) return seen;
  Tracked tracked(leads);
  tracked.fit(model, series.first(first));
  UsualPeaks peaks(series.season);
  for (std::size_t i = 0; i < first; ++i) peaks.push(series.values[i]);
  for (std::size_t i = first; i < series.size(); ++i) {
    const double value = series.values[i];
    const Evidence evidence = gather(tracked.forecast(), leads, peaks);
    if (!series.is_gap(i) && !series.is_limited(i)) {
      ++seen.points;
      // A larger knob never allocates less.
      for (std::size_t knob = 0; knob < Exceedance::kKnobs; ++knob) {
        if (value <= allocation(evidence, static_cast<double>(knob))) break;
        ++seen.above[knob];
      }
    }
    tracked.arrive(value, series.is_limited(i));
    peaks.push(value);
  }
  return seen;
}

std::optional<double> knob_for_quantile(const Exceedance& seen, double quantile) {
  const double allowed = (1 - quantile) * static_cast<double>(seen.points);
  if (allowed < 1 || static_cast<double>(seen.above[0]) < allowed / 2) return std::nullopt;
  std::size_t knob = 0;
  while (knob + 1 < Exceedance::kKnobs && static_cast<double>(seen.above[knob]) > allowed) ++knob;
  if (knob == 0 || static_cast<double>(seen.above[knob]) > allowed) return static_cast<double>(knob);
  const auto before = static_cast<double>(seen.above[knob - 1]);
  const auto part = (before - allowed) / (before - static_cast<double>(seen.above[knob]));
  return static_cast<double>(knob - 1) + part;
}

}  // namespace foreflow::predictor
