// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/whole.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace foreflow::predictor {

std::vector<double> interpolated(const SeriesView& series) {
  std::vector<double> whole(series.values.begin(), series.values.end());
  const auto is_known = [](double value) { return !std::isnan(value); };
  const auto first = std::ranges::find_if(whole, is_known);
  if (first == whole.end()) return {};
  std::fill(whole.begin(), first, *first);
  for (auto last = first, next = first; last != whole.end(); last = next) {
    next = std::find_if(last + 1, whole.end(), is_known);
    const double to = next == whole.end() ? *last : *next;
    const double step = (to - *last) / static_cast<double>(next - last);
    for (auto gap = last + 1; gap != next; ++gap) *gap = *last + step * static_cast<double>(gap - last);
  }
  return whole;
}

}  // namespace foreflow::predictor
