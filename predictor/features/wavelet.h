// SPDX-License-Identifier: Apache-2.0
// A series by time scales: maximal overlap discrete wavelet transform.
// Place: predictor/features. Source: Percival and Walden, "Wavelet Methods for Time Series Analysis" (2000), ch. 5; the
// filters are Daubechies' of extremal phase. The series is taken as periodic. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

enum class Wavelet { kHaar, kDaubechies4, kDaubechies8 };  // the number is that of the coefficients

struct Modwt {
  std::vector<std::vector<double>> details;  // [j]: changes on the scale of 2^j points, as many as the series has
  std::vector<double> smooth;                // what is left
};

// `levels`: any; each costs O(n). Empty in, empty vectors out.
Modwt modwt(std::span<const double> values, Wavelet wavelet, std::size_t levels);

// The series that `transform` is of.
std::vector<double> inverse_modwt(const Modwt& transform, Wavelet wavelet);

// Share of each detail in the variance, then that of the smooth (`levels` + 1 values, sum 1); all 0 when constant.
std::vector<double> wavelet_energies(std::span<const double> values, Wavelet wavelet, std::size_t levels);

// Without noise: details shrunk towards zero by the universal threshold of their level, sigma sqrt(2 ln n / 2^j)
// (Donoho and Johnstone 1994), sigma from the median absolute value of the finest.
std::vector<double> denoised(std::span<const double> values, Wavelet wavelet, std::size_t levels);

}  // namespace foreflow::predictor
