// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/autocorrelation.h"

#include <algorithm>
#include <complex>
#include <numeric>

#include "predictor/features/fft.h"

namespace foreflow::predictor {

std::vector<double> autocorrelation(std::span<const double> values, std::size_t longest) {
  std::vector<double> result(longest + 1, 0.);
  result[0] = 1;
  if (values.size() < 2) return result;
  const double mean = std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size());
  const std::size_t known = std::min(longest, values.size() - 1);
  const std::size_t padded = fast_length_from(values.size() + known + 1);  // nothing wraps around
  std::vector<double> centred(padded, 0.);
  std::ranges::transform(values, centred.begin(), [mean](double value) { return value - mean; });
  auto half = real_fft(centred);
  for (auto& ordinate : half) ordinate = std::norm(ordinate);
  const std::vector<double> products = inverse_real_fft(half, padded);
  constexpr double kRounding = 1e-20;
  if (products[0] <= kRounding * mean * mean * static_cast<double>(values.size())) return result;
  for (std::size_t lag = 1; lag <= known; ++lag) result[lag] = products[lag] / products[0];
  return result;
}

}  // namespace foreflow::predictor
