// SPDX-License-Identifier: Apache-2.0
#include "predictor/match/distance_profile.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numeric>

#include "predictor/features/fft.h"

namespace foreflow::predictor {
namespace {

// sum over i of query[i] series[j + i] for each j.
std::vector<double> sliding_dot_products(std::span<const double> query, std::span<const double> series) {
  const std::size_t padded = fast_length_from(series.size() + query.size());
  std::vector<double> window(padded, 0.), whole(padded, 0.);
  std::ranges::reverse_copy(query, window.begin());
  std::ranges::copy(series, whole.begin());
  auto spectrum = real_fft(whole);
  const auto filter = real_fft(window);
  for (std::size_t k = 0; k < spectrum.size(); ++k) spectrum[k] *= filter[k];
  std::vector<double> products = inverse_real_fft(spectrum, padded);
  products.erase(products.begin(), products.begin() + static_cast<std::ptrdiff_t>(query.size()) - 1);
  products.resize(series.size() - query.size() + 1);
  return products;
}

// The same as level_of() for every window, from running sums.
std::vector<Level> levels_of(std::span<const double> series, std::size_t length) {
  std::vector<double> sums(series.size() + 1, 0.), squares(series.size() + 1, 0.);
  for (std::size_t i = 0; i < series.size(); ++i) {
    sums[i + 1] = sums[i] + series[i];
    squares[i + 1] = squares[i] + series[i] * series[i];
  }
  const auto n = static_cast<double>(length);
  constexpr double kCancelled = 1e-9;  // below this share of the sums the difference is doubtful
  std::vector<Level> levels(series.size() - length + 1);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double mean = (sums[i + length] - sums[i]) / n;
    const double variance = (squares[i + length] - squares[i]) / n - mean * mean;
    levels[i] = variance > kCancelled * squares.back() / n ? Level{mean, std::sqrt(variance)}
                                                           : level_of(series.subspan(i, length));
  }
  return levels;
}

}  // namespace

Level level_of(std::span<const double> window) {
  constexpr double kRounding = 1e-9;
  const auto n = static_cast<double>(window.size());
  const double mean = std::accumulate(window.begin(), window.end(), 0.) / n;
  double squares = 0;
  for (const double value : window) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / n);
  return {mean, deviation > kRounding * std::max(std::abs(mean), 1.) ? deviation : 0};
}

double normalised_distance(double dot_product, std::size_t length, const Level& a, const Level& b) {
  const auto n = static_cast<double>(length);
  if (a.deviation == 0 || b.deviation == 0) return a.deviation == b.deviation ? 0 : std::sqrt(n);
  const double correlation = (dot_product / n - a.mean * b.mean) / (a.deviation * b.deviation);
  return std::sqrt(2 * n * (1 - std::clamp(correlation, -1., 1.)));
}

std::vector<double> distance_profile(std::span<const double> query, std::span<const double> series) {
  if (query.empty() || series.size() < query.size()) return {};
  // Around a common centre the products are small, and so is what they lose.
  const double centre = level_of(series).mean;
  std::vector<double> whole(series.begin(), series.end()), window(query.begin(), query.end());
  for (double& value : whole) value -= centre;
  for (double& value : window) value -= centre;
  std::vector<double> profile = sliding_dot_products(window, whole);
  const std::vector<Level> levels = levels_of(whole, window.size());
  const Level own = level_of(window);
  for (std::size_t i = 0; i < profile.size(); ++i)
    profile[i] = normalised_distance(profile[i], window.size(), own, levels[i]);
  return profile;
}

std::vector<Match> nearest(std::span<const double> profile, std::size_t most, std::size_t apart) {
  std::vector<double> left(profile.begin(), profile.end());
  std::vector<Match> found;
  while (found.size() < most && !left.empty()) {
    const auto best = std::ranges::min_element(left);
    if (!std::isfinite(*best)) break;
    const auto start = static_cast<std::size_t>(best - left.begin());
    found.push_back({start, *best});
    const std::size_t first = start - std::min(start, apart - 1);
    const std::size_t end = std::min(left.size(), start + apart);
    std::fill(left.begin() + static_cast<std::ptrdiff_t>(first), left.begin() + static_cast<std::ptrdiff_t>(end),
              std::numeric_limits<double>::infinity());
  }
  return found;
}

}  // namespace foreflow::predictor
