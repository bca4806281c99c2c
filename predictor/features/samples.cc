// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/samples.h"

#include <algorithm>

namespace foreflow::predictor {
namespace {

void append(std::vector<Sample>& samples, const SeriesView& series, std::size_t i) {
  if (!series.is_gap(i)) samples.push_back({series.values[i], series.is_limited(i)});
}

}  // namespace

std::vector<Sample> newest(const SeriesView& series, std::size_t count) {
  std::vector<Sample> samples;
  samples.reserve(std::min(count, series.size()));
  for (std::size_t i = series.size(); i > 0 && samples.size() < count; --i) append(samples, series, i - 1);
  return samples;
}

std::vector<Sample> same_slot(const SeriesView& series, std::size_t lead, const SameSlot& which) {
  std::vector<Sample> samples;
  // Back from the target to the newest period whose slot itself is past.
  std::size_t back = (lead / series.season + 1) * series.season;
  const std::size_t target = series.size() + lead;
  for (std::size_t period = 0; period < which.periods && back <= target + which.neighbours; ++period) {
    const std::size_t first = target > back + which.neighbours ? target - back - which.neighbours : 0;
    const std::size_t end = std::min(series.size(), target + which.neighbours + 1 - back);
    for (std::size_t i = first; i < end; ++i) append(samples, series, i);
    back += series.season;
  }
  return samples;
}

double recent_max(const SeriesView& series, std::size_t count) {
  double largest = 0;
  for (std::size_t i = series.size() - std::min(count, series.size()); i < series.size(); ++i)
    if (!series.is_gap(i)) largest = std::max(largest, series.values[i]);
  return largest;
}

}  // namespace foreflow::predictor
