// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/dispersion.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace foreflow::predictor {
namespace {

double variance(std::span<const double> values) {
  double mean = 0, squares = 0, count = 0;
  for (const double value : values) {
    const double before = value - mean;
    mean += before / ++count;
    squares += before * (value - mean);
  }
  return squares / count;
}

// Means of pairs; an odd point at the end is left out.
std::vector<double> halved(std::span<const double> values) {
  std::vector<double> means(values.size() / 2);
  for (std::size_t i = 0; i < means.size(); ++i) means[i] = (values[2 * i] + values[2 * i + 1]) / 2;
  return means;
}

}  // namespace

std::optional<double> hurst_exponent(std::span<const double> values) {
  constexpr std::size_t kFewest = 8;
  if (values.size() < 4 * kFewest) return std::nullopt;
  std::vector<double> means(values.begin(), values.end());
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (; means.size() >= kFewest; means = halved(means)) {
    const double spread = variance(means);
    if (!(spread > 0)) return std::nullopt;
    const double level = n++, power = std::log2(spread);
    x += level, y += power, xx += level * level, xy += level * power;
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x);
  return std::clamp(1 + slope / 2, 0., 1.);
}

std::optional<double> tail_index(std::span<const double> values, std::size_t count) {
  if (count == 0 || values.size() <= count) return std::nullopt;
  std::vector<double> largest(count + 1);
  std::ranges::partial_sort_copy(values, largest, std::ranges::greater());
  if (!(largest[count] > 0)) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::log(largest[i] / largest[count]);
  if (!(sum > 0)) return std::nullopt;
  return static_cast<double>(count) / sum;
}

}  // namespace foreflow::predictor
