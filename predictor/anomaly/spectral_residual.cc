// SPDX-License-Identifier: Apache-2.0
#include "predictor/anomaly/spectral_residual.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <complex>
#include <vector>

#include "predictor/features/fft.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kCompared = 21;  // points before the newest
constexpr double kFloor = 1e-9;        // amplitudes below this are nothing

// Ren et al. (9): the point that continues the mean slope of the last few, repeated.
double estimate(std::span<const double> values) {
  const double newest = values.back();
  double slope = 0;
  for (std::size_t j = 1; j <= kSpectralEstimated; ++j)
    slope += (newest - values[values.size() - 1 - j]) / static_cast<double>(j);
  slope /= static_cast<double>(kSpectralEstimated);
  return values[values.size() - kSpectralEstimated] + slope * static_cast<double>(kSpectralEstimated);
}

// Each amplitude relative to the geometric mean of itself and its neighbours; phases stay.
void keep_residual(std::vector<std::complex<double>>& spectrum) {
  const std::size_t n = spectrum.size();
  std::array<double, kSpectralWindow> amplitude;
  std::array<double, kSpectralWindow> logarithm;
  for (std::size_t j = 0; j < n; ++j) {
    amplitude[j] = std::abs(spectrum[j]) + kFloor;
    logarithm[j] = std::log(amplitude[j]);
  }
  for (std::size_t j = 0; j < n; ++j) {
    const double usual = (logarithm[(j + n - 1) % n] + logarithm[j] + logarithm[(j + 1) % n]) / 3;
    spectrum[j] *= std::exp(logarithm[j] - usual) / amplitude[j];
  }
}

}  // namespace

double spectral_saliency(std::span<const double> newest) {
  assert(newest.size() == kSpectralObserved);
  const auto [least, most] = std::ranges::minmax(newest);
  if (most - least <= kFloor * std::max(std::abs(least), std::abs(most))) return 0;  // only rounding could stand out
  std::vector<std::complex<double>> points(newest.begin(), newest.end());
  points.resize(kSpectralWindow, estimate(newest));
  auto spectrum = fft(points);
  keep_residual(spectrum);
  const auto saliency = inverse_fft(spectrum);
  double usual = 0;
  for (std::size_t j = kSpectralObserved - 1 - kCompared; j < kSpectralObserved - 1; ++j)
    usual += std::abs(saliency[j]);
  usual /= static_cast<double>(kCompared);
  return (std::abs(saliency[kSpectralObserved - 1]) - usual) / (usual + kFloor);
}

}  // namespace foreflow::predictor
