// SPDX-License-Identifier: Apache-2.0
// How rough and how heavy-tailed a series is.
// Place: predictor/features. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

namespace foreflow::predictor {

// Hurst exponent by the variance-time plot (Leland et al. 1994): the variance of means of 1, 2, 4 ... points falls as
// length^(2H - 2); least squares on the logarithms, blocks of which there are at least 8. .5 = no memory, towards 1 =
// bursts on all scales. In [0, 1]; nullopt for fewer than 32 points and for a constant series.
std::optional<double> hurst_exponent(std::span<const double> values);

// Tail index by Hill (1975) from the `count` largest values: P(X > x) ~ x^-index, so 2 and less is heavy. nullopt where
// the value below the largest is not positive, all are equal, or there are not more than `count` of them.
std::optional<double> tail_index(std::span<const double> values, std::size_t count);

}  // namespace foreflow::predictor
