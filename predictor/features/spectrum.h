// SPDX-License-Identifier: Apache-2.0
// Which periods a series has, and how sure that is.
// Place: predictor/features. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

// |X[k]|^2 / n for k = 1 .. (n-1)/2 after the straight line of least squares was taken away; ordinate k has the period
// n / k points. Empty for fewer than 3 points.
std::vector<double> periodogram(std::span<const double> values);

struct Period {
  double points = 0;       // its length
  double share = 0;        // of the variance without the trend
  double probability = 1;  // that white noise has as strong a period: small = significant
};

// The strongest periods, strongest first, as long as their probability is at most `significance`. The probability is
// the first term of Fisher's test (1929), m (1 - g)^(m-1), an upper bound of it; a period found before is left out of
// the sum for the next (Whittle 1954). The oldest points that would make the transform slow (fft.h) are not looked at.
std::vector<Period> significant_periods(std::span<const double> values, double significance, std::size_t most);

}  // namespace foreflow::predictor
