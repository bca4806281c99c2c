// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/change_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace foreflow::predictor {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double noise_variance(std::span<const double> values) {
  constexpr double kMadToSigma = 1 / .6744897501960817;
  std::vector<double> steps;
  for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(std::abs(values[i] - values[i - 1]));
  const double sigma = kMadToSigma * median(std::move(steps)) / std::numbers::sqrt2;
  return sigma * sigma;
}

// Squared errors of points [from, to) from their mean, in O(1).
class SegmentCost {
 public:
  explicit SegmentCost(std::span<const double> values) : sums_{0}, squares_{0} {
    for (const double value : values) {
      const double centred = value - values[0];  // sums of squares cancel less
      sums_.push_back(sums_.back() + centred);
      squares_.push_back(squares_.back() + centred * centred);
    }
  }
  double operator()(std::size_t from, std::size_t to) const {
    const double sum = sums_[to] - sums_[from];
    return squares_[to] - squares_[from] - sum * sum / static_cast<double>(to - from);
  }

 private:
  std::vector<double> sums_, squares_;
};

}  // namespace

double usual_penalty(std::size_t n) { return 3 * std::log(static_cast<double>(std::max<std::size_t>(n, 2))); }

std::vector<std::size_t> level_changes(std::span<const double> values, double penalty) {
  if (values.size() < 3) return {};
  const double per_change = penalty * noise_variance(values);
  if (!(per_change > 0)) return {};
  const SegmentCost cost(values);
  std::vector<double> best(values.size() + 1);
  std::vector<std::size_t> previous(values.size() + 1, 0), candidates, kept;
  best[0] = -per_change;
  for (std::size_t end = 1; end <= values.size(); ++end) {
    candidates.push_back(end - 1);
    best[end] = std::numeric_limits<double>::infinity();
    for (const std::size_t from : candidates)
      if (const double total = best[from] + cost(from, end) + per_change; total < best[end]) {
        best[end] = total;
        previous[end] = from;
      }
    // A candidate that is worse than a change here can never win again.
    kept.clear();
    for (const std::size_t from : candidates)
      if (best[from] + cost(from, end) <= best[end]) kept.push_back(from);
    candidates.swap(kept);
  }
  std::vector<std::size_t> changes;
  for (std::size_t at = previous[values.size()]; at > 0; at = previous[at]) changes.push_back(at);
  std::ranges::reverse(changes);
  return changes;
}

double robust_slope(std::span<const double> values) {
  if (values.size() < 2) return 0;
  std::vector<double> slopes;
  slopes.reserve(values.size() * (values.size() - 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i + 1; j < values.size(); ++j)
      slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
  return median(std::move(slopes));
}

}  // namespace foreflow::predictor
