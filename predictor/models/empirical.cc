// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/empirical.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace foreflow::predictor {

Quantiles empirical_quantiles(std::vector<Sample> samples) {
  Quantiles quantiles{};
  if (samples.empty()) return quantiles;
  // At one value those that are exact come first: what is limited there was at least that much.
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return std::pair(a.value, a.limited) < std::pair(b.value, b.limited);
  });
  const auto count = static_cast<double>(samples.size());
  double weight = 1 / count;  // of each sample that is still ahead
  double reached = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < samples.size() && next < quantiles.size(); ++i) {
    const auto ahead = static_cast<double>(samples.size() - i - 1);
    if (samples[i].limited && ahead > 0) {
      weight += weight / ahead;
      continue;
    }
    reached += weight;
    // The sum of n rounded weights is short of n / count by less than this.
    constexpr double kRounding = 1e-9;
    while (next < quantiles.size() && (reached + kRounding >= kQuantiles[next] || ahead == 0))
      quantiles[next++] = samples[i].value;
  }
  return quantiles;
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
