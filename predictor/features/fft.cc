// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/fft.h"

#include <cassert>

#include <unsupported/Eigen/FFT>

namespace foreflow::predictor {
namespace {

using Complex = std::complex<double>;

Eigen::FFT<double>& transform() {
  thread_local Eigen::FFT<double> library(Eigen::default_fft_impl<double>(), Eigen::FFT<double>::HalfSpectrum);
  return library;
}

Eigen::Index length(std::size_t n) { return static_cast<Eigen::Index>(n); }

bool is_fast(std::size_t n) {
  for (const std::size_t factor : {2U, 3U, 5U})
    while (n % factor == 0) n /= factor;
  return n == 1;
}

}  // namespace

std::size_t fast_length_from(std::size_t n) {
  assert(n >= 1);
  while (!is_fast(n)) ++n;
  return n;
}

std::size_t fast_length_within(std::size_t n) {
  assert(n >= 1);
  while (!is_fast(n)) --n;
  return n;
}

std::vector<Complex> fft(std::span<const Complex> values) {
  std::vector<Complex> spectrum(values.size());
  if (!values.empty()) transform().fwd(spectrum.data(), values.data(), length(values.size()));
  return spectrum;
}

std::vector<Complex> real_fft(std::span<const double> values) {
  if (values.empty()) return {};
  std::vector<Complex> half(values.size() / 2 + 1);
  if (values.size() == 1)
    half[0] = values[0];
  else
    transform().fwd(half.data(), values.data(), length(values.size()));
  return half;
}

std::vector<Complex> inverse_fft(std::span<const Complex> spectrum) {
  std::vector<Complex> values(spectrum.size());
  if (!spectrum.empty()) transform().inv(values.data(), spectrum.data(), length(spectrum.size()));
  return values;
}

std::vector<double> inverse_real_fft(std::span<const Complex> half, std::size_t n) {
  assert(half.size() == n / 2 + 1 || n == 0);
  std::vector<double> values(n);
  if (n == 1)
    values[0] = half[0].real();
  else if (n > 1)
    transform().inv(values.data(), half.data(), length(n));
  return values;
}

}  // namespace foreflow::predictor
