// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/wavelet.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

namespace foreflow::predictor {
namespace {

constexpr double kRoot2 = std::numbers::sqrt2;
constexpr double kRoot3 = std::numbers::sqrt3;
constexpr std::array kHaarScaling{1 / kRoot2, 1 / kRoot2};
constexpr std::array kScaling4{(1 + kRoot3) / (4 * kRoot2), (3 + kRoot3) / (4 * kRoot2), (3 - kRoot3) / (4 * kRoot2),
                               (1 - kRoot3) / (4 * kRoot2)};
constexpr std::array kScaling8{.2303778133088964,  .7148465705529155, .6308807679298587, -.0279837694168599,
                               -.1870348117190931, .0308413818355607, .0328830116668852, -.0105974017850690};

std::span<const double> scaling_filter(Wavelet wavelet) {
  switch (wavelet) {
    case Wavelet::kHaar:
      return kHaarScaling;
    case Wavelet::kDaubechies4:
      return kScaling4;
    case Wavelet::kDaubechies8:
      return kScaling8;
  }
  return kHaarScaling;
}

struct Filters {
  std::vector<double> scaling, wavelet;
};

Filters filters(Wavelet wavelet) {
  const auto scaling = scaling_filter(wavelet);
  Filters made;
  for (std::size_t l = 0; l < scaling.size(); ++l) {
    made.scaling.push_back(scaling[l] / kRoot2);
    made.wavelet.push_back((l % 2 == 0 ? 1 : -1) * scaling[scaling.size() - 1 - l] / kRoot2);
  }
  return made;
}

// sum over l of filter[l] x[(t -+ l * stride) mod n], added to `to`; `back`: towards the past.
void convolve(std::span<const double> x, std::span<const double> filter, std::size_t stride, bool back,
              std::vector<double>& to) {
  const std::size_t n = x.size();
  for (std::size_t l = 0; l < filter.size(); ++l) {
    const std::size_t shift = l * stride % n;
    std::size_t from = back ? (n - shift) % n : shift;
    for (std::size_t t = 0; t < n; ++t) {
      to[t] += filter[l] * x[from];
      if (++from == n) from = 0;
    }
  }
}

double squares(std::span<const double> values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.);
}

double median_size(std::vector<double> values) {
  for (double& value : values) value = std::abs(value);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Modwt modwt(std::span<const double> values, Wavelet wavelet, std::size_t levels) {
  const Filters used = filters(wavelet);
  Modwt result{{}, {values.begin(), values.end()}};
  std::size_t stride = 1;
  for (std::size_t level = 0; level < levels; ++level) {
    std::vector<double> detail(values.size(), 0.), smooth(values.size(), 0.);
    convolve(result.smooth, used.wavelet, stride, true, detail);
    convolve(result.smooth, used.scaling, stride, true, smooth);
    result.details.push_back(std::move(detail));
    result.smooth = std::move(smooth);
    if (!values.empty()) stride = 2 * stride % values.size();  // the series is periodic
  }
  return result;
}

std::vector<double> inverse_modwt(const Modwt& transform, Wavelet wavelet) {
  const Filters used = filters(wavelet);
  const std::size_t n = transform.smooth.size();
  std::vector<std::size_t> strides;
  for (std::size_t stride = 1; n > 0 && strides.size() < transform.details.size(); stride = 2 * stride % n)
    strides.push_back(stride);
  std::vector<double> values = transform.smooth;
  for (std::size_t level = strides.size(); level-- > 0;) {
    std::vector<double> finer(n, 0.);
    convolve(transform.details[level], used.wavelet, strides[level], false, finer);
    convolve(values, used.scaling, strides[level], false, finer);
    values = std::move(finer);
  }
  return values;
}

std::vector<double> wavelet_energies(std::span<const double> values, Wavelet wavelet, std::size_t levels) {
  std::vector<double> shares(levels + 1, 0.);
  if (values.empty()) return shares;
  constexpr double kRounding = 1e-20;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.) / n;
  std::vector<double> centred(values.begin(), values.end());
  for (double& value : centred) value -= mean;
  const double all = squares(centred);
  if (all <= kRounding * n * mean * mean) return shares;
  const Modwt transform = modwt(centred, wavelet, levels);
  for (std::size_t level = 0; level < levels; ++level) shares[level] = squares(transform.details[level]) / all;
  shares[levels] = squares(transform.smooth) / all;
  return shares;
}

std::vector<double> denoised(std::span<const double> values, Wavelet wavelet, std::size_t levels) {
  Modwt transform = modwt(values, wavelet, levels);
  if (values.empty() || levels == 0) return transform.smooth;
  constexpr double kMadToSigma = 1 / .6744897501960817;
  const double sigma = kRoot2 * kMadToSigma * median_size(transform.details[0]);
  double threshold = sigma * std::sqrt(2 * std::log(static_cast<double>(values.size())));
  for (std::vector<double>& detail : transform.details) {
    threshold /= kRoot2;
    for (double& w : detail) w = std::copysign(std::max(std::abs(w) - threshold, 0.), w);
  }
  return inverse_modwt(transform, wavelet);
}

}  // namespace foreflow::predictor
