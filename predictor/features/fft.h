// SPDX-License-Identifier: Apache-2.0
// Discrete Fourier transforms of any length.
// Place: predictor/features; the one place that knows the library behind it. Thread safety: any thread; the library's
// twiddle factors are kept per thread and length.
#pragma once
#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

// X[k] = sum over t of x[t] exp(-2 pi i k t / n), k = 0 .. n-1. Empty in, empty out.
std::vector<std::complex<double>> fft(std::span<const std::complex<double>> values);

// The same of real values, k = 0 .. n/2 only: the rest is its mirror image.
std::vector<std::complex<double>> real_fft(std::span<const double> values);

// x[t] = 1/n sum over k of X[k] exp(+2 pi i k t / n).
std::vector<std::complex<double>> inverse_fft(std::span<const std::complex<double>> spectrum);

// The real series of length n whose real_fft() is `half`, n/2 + 1 values.
std::vector<double> inverse_real_fft(std::span<const std::complex<double>> half, std::size_t n);

// The nearest length not below / not above n (>= 1) without a prime factor above 5: transforms of others can take n^2.
std::size_t fast_length_from(std::size_t n);
std::size_t fast_length_within(std::size_t n);

}  // namespace foreflow::predictor
