// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/spectrum.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>

#include "predictor/features/fft.h"

namespace foreflow::predictor {
namespace {

constexpr double kNothing = 1e-20;  // power below this share of the squares is rounding

std::vector<double> without_line(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.) / n;
  const double middle = (n - 1) / 2;
  double slope = 0;
  for (std::size_t t = 0; t < values.size(); ++t) slope += (static_cast<double>(t) - middle) * (values[t] - mean);
  slope /= n * (n * n - 1) / 12;
  std::vector<double> rest(values.size());
  for (std::size_t t = 0; t < values.size(); ++t)
    rest[t] = values[t] - mean - slope * (static_cast<double>(t) - middle);
  return rest;
}

}  // namespace

std::vector<double> periodogram(std::span<const double> values) {
  if (values.size() < 3) return {};
  const auto half = real_fft(without_line(values));
  std::vector<double> power((values.size() - 1) / 2);
  for (std::size_t k = 0; k < power.size(); ++k) power[k] = std::norm(half[k + 1]) / static_cast<double>(values.size());
  return power;
}

std::vector<Period> significant_periods(std::span<const double> values, double significance, std::size_t most) {
  if (values.size() < 3) return {};
  values = values.last(fast_length_within(values.size()));
  std::vector<double> power = periodogram(values);
  const double all = std::accumulate(power.begin(), power.end(), 0.);
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.);
  std::vector<Period> found;
  double rest = all;
  while (found.size() < std::min(most, power.size()) && rest > kNothing * squares) {
    const auto strongest = std::ranges::max_element(power);
    const auto left = static_cast<double>(power.size() - found.size());
    const double share = std::min(*strongest / rest, 1.);
    const double probability = std::min(1., left * std::pow(1 - share, left - 1));
    if (probability > significance) break;
    const auto k = static_cast<double>(strongest - power.begin() + 1);
    found.push_back({static_cast<double>(values.size()) / k, *strongest / all, probability});
    rest -= *strongest;
    *strongest = 0;
  }
  return found;
}

}  // namespace foreflow::predictor
