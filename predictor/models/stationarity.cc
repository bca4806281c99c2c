// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/stationarity.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace foreflow::predictor {
namespace {

constexpr double kKpssCritical = .463;
constexpr double kStrong = .64;
constexpr std::size_t kShapeWindow = 11;  // seasons over which the shape of one is smoothed

double mean(std::span<const double> z) {
  double sum = 0;
  for (const double value : z) sum += value;
  return sum / static_cast<double>(z.size());
}

double variance(std::span<const double> z) {
  const double centre = mean(z);
  double sum = 0;
  for (const double value : z) sum += (value - centre) * (value - centre);
  return sum / static_cast<double>(z.size());
}

// Straight line through (x, value) with tricube weights around `at`, evaluated there: one point of a loess.
double local_line(std::span<const double> values, std::size_t stride, std::size_t first, std::size_t count, double at,
                  double half) {
  double w0 = 0, w1 = 0, w2 = 0, y0 = 0, y1 = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i) - at;
    const double ratio = std::abs(x) / half;
    if (ratio >= 1) continue;
    const double weight = std::pow(1 - ratio * ratio * ratio, 3);
    const double y = values[first + i * stride];
    w0 += weight;
    w1 += weight * x;
    w2 += weight * x * x;
    y0 += weight * y;
    y1 += weight * x * y;
  }
  const double determinant = w0 * w2 - w1 * w1;
  return determinant > 1e-12 * w0 * w0 ? (w2 * y0 - w1 * y1) / determinant : w0 > 0 ? y0 / w0 : 0;
}

double loess_at(std::span<const double> values, std::size_t stride, std::size_t first, std::size_t count, std::size_t i,
                std::size_t window) {
  // The window keeps its number of points at the ends.
  const std::size_t kept = std::min(window, count);
  const std::size_t left = std::min(i - std::min(i, kept / 2), count - kept);
  const double reach = std::max(static_cast<double>(i - left), static_cast<double>(left + kept - 1 - i));
  const double longer = window > count ? static_cast<double>(window - count) / 2 : 0;
  return local_line(values, stride, first, count, static_cast<double>(i), reach + longer + .999);
}

// One pass of seasonal smoothing around a trend, twice: the inner loop of STL, with the sub-series' loess.
void decompose(std::span<const double> z, std::size_t season, std::vector<double>& trend, std::vector<double>& shape) {
  const std::size_t n = z.size();
  std::vector<double> work(n);
  trend.assign(n, 0.0);
  shape.assign(n, 0.0);
  const std::size_t trend_window =
      static_cast<std::size_t>(std::ceil(1.5 * static_cast<double>(season) / (1 - 1.5 / kShapeWindow))) | 1U;
  for (int pass = 0; pass < 3; ++pass) {
    for (std::size_t i = 0; i < n; ++i) work[i] = z[i] - trend[i];
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t phase = i % season;
      shape[i] = loess_at(work, season, phase, (n - phase + season - 1) / season, i / season, kShapeWindow);
    }
    // A shape has no level of its own.
    std::vector<double> level(n);
    for (std::size_t i = 0; i < n; ++i) level[i] = loess_at(shape, 1, 0, n, i, season | 1U);
    for (std::size_t i = 0; i < n; ++i) shape[i] -= level[i];
    for (std::size_t i = 0; i < n; ++i) work[i] = z[i] - shape[i];
    for (std::size_t i = 0; i < n; ++i) trend[i] = loess_at(work, 1, 0, n, i, trend_window);
  }
}

std::vector<double> difference(std::span<const double> z) {
  std::vector<double> result;
  result.reserve(z.size());
  for (std::size_t i = 1; i < z.size(); ++i) result.push_back(z[i] - z[i - 1]);
  return result;
}

}  // namespace

double kpss(std::span<const double> z) {
  if (z.size() < 3) return 0;
  const auto n = static_cast<double>(z.size());
  const double centre = mean(z);
  double partial = 0, squares = 0, long_run = 0;
  for (const double value : z) {
    partial += value - centre;
    squares += partial * partial;
    long_run += (value - centre) * (value - centre);
  }
  const auto lags = static_cast<std::size_t>(3 * std::sqrt(n) / 13);
  for (std::size_t lag = 1; lag <= lags; ++lag) {
    double products = 0;
    for (std::size_t i = lag; i < z.size(); ++i) products += (z[i] - centre) * (z[i - lag] - centre);
    long_run += 2 * (1 - static_cast<double>(lag) / static_cast<double>(lags + 1)) * products;
  }
  return long_run > 0 ? squares / n / long_run : 0;
}

double seasonal_strength(std::span<const double> z, std::size_t season) {
  if (season < 2 || z.size() < 2 * season + 1) return 0;
  std::vector<double> trend, shape;
  decompose(z, season, trend, shape);
  std::vector<double> rest(z.size()), without_trend(z.size());
  for (std::size_t i = 0; i < z.size(); ++i) {
    without_trend[i] = z[i] - trend[i];
    rest[i] = without_trend[i] - shape[i];
  }
  const double whole = variance(without_trend);
  return whole > 0 ? std::clamp(1 - variance(rest) / whole, 0.0, 1.0) : 0;
}

int differences_needed(std::span<const double> z) {
  std::vector<double> values(z.begin(), z.end());
  int count = 0;
  while (count < 2 && kpss(values) > kKpssCritical) {
    values = difference(values);
    ++count;
  }
  return count;
}

int seasonal_differences_needed(std::span<const double> z, std::size_t season) {
  return seasonal_strength(z, season) > kStrong ? 1 : 0;
}

}  // namespace foreflow::predictor
