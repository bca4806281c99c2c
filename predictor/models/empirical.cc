// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/empirical.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace foreflow::predictor {

namespace {

// The sum of n rounded weights is short of n / count by less than this.
constexpr double kRounding = 1e-9;

// Nobody limited: the ranks are known beforehand, and selecting them is several times faster than sorting.
Quantiles exact_quantiles(std::vector<Sample>& samples) {
  Quantiles quantiles{};
  const auto count = static_cast<double>(samples.size());
  auto end = samples.end();
  for (std::size_t q = kQuantiles.size(); q-- > 0;) {
    const auto rank = static_cast<std::ptrdiff_t>(std::ceil((kQuantiles[q] - kRounding) * count));
    const auto place = samples.begin() + std::max<std::ptrdiff_t>(rank - 1, 0);
    if (place < end) {
      std::nth_element(samples.begin(), place, end, [](const Sample& a, const Sample& b) { return a.value < b.value; });
      end = place;
    }
    quantiles[q] = place->value;
  }
  return quantiles;
}

// Redistribution to the right, in one pass from the smallest value up.
Quantiles redistributed_quantiles(std::vector<Sample>& samples) {
  Quantiles quantiles{};
  // At one value those that are exact come first: what is limited there was at least that much.
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return std::pair(a.value, a.limited) < std::pair(b.value, b.limited);
  });
  double weight = 1 / static_cast<double>(samples.size());  // of each sample that is still ahead
  double reached = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < samples.size() && next < quantiles.size(); ++i) {
    const auto ahead = static_cast<double>(samples.size() - i - 1);
    if (samples[i].limited && ahead > 0) {
      weight += weight / ahead;
      continue;
    }
    reached += weight;
    while (next < quantiles.size() && (reached + kRounding >= kQuantiles[next] || ahead == 0))
      quantiles[next++] = samples[i].value;
  }
  return quantiles;
}

}  // namespace

Quantiles empirical_quantiles(std::vector<Sample> samples) {
  if (samples.empty()) return {};
  return std::ranges::any_of(samples, &Sample::limited) ? redistributed_quantiles(samples) : exact_quantiles(samples);
}

QuantileForecast finish(const std::vector<Quantiles>& rows, double tail, std::string model) {
  QuantileForecast forecast{{static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(kQuantiles.size())},
                            std::move(model)};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    double lowest = 0;
    for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
      const double value = std::isfinite(rows[row][q]) ? rows[row][q] : lowest;
      lowest = std::max({lowest, value, q + 1 == kQuantiles.size() ? tail : 0});
      forecast.values(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(q)) = lowest;
    }
  }
  return forecast;
}

}  // namespace foreflow::predictor
