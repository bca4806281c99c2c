// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/period.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace foreflow::predictor {
namespace {

constexpr std::size_t kPeriods = 6;
constexpr double kWorthIt = .9;

double mean_difference(std::span<const double> z, std::size_t lag, std::size_t fewest) {
  double sum = 0;
  std::size_t pairs = 0;
  for (std::size_t i = lag; i < z.size(); ++i) {
    const double difference = std::abs(z[i] - z[i - lag]);
    if (std::isnan(difference)) continue;
    sum += difference;
    ++pairs;
  }
  return pairs < std::max<std::size_t>(fewest, 1) ? std::numeric_limits<double>::infinity()
                                                  : sum / static_cast<double>(pairs);
}

}  // namespace

std::size_t true_period(std::span<const double> z, std::size_t nominal, double slack) {
  z = z.last(std::min(z.size(), kPeriods * nominal));
  const auto reach = static_cast<std::size_t>(slack * static_cast<double>(nominal));
  const double as_told = mean_difference(z, nominal, nominal);
  if (std::isinf(as_told)) return nominal;
  std::size_t best = nominal;
  double least = kWorthIt * as_told;
  for (std::size_t lag = nominal - reach; lag <= nominal + reach; ++lag)
    if (const double difference = mean_difference(z, lag, nominal / 2); difference < least) {
      least = difference;
      best = lag;
    }
  return best;
}

}  // namespace foreflow::predictor
