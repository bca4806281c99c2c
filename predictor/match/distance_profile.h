// SPDX-License-Identifier: Apache-2.0
// Where a series has looked like a given window before.
// Place: predictor/match; on values in the order of log1p, as levels and swings differ by factors. Thread safety: pure
// functions. All values must be finite.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

struct Match {
  std::size_t start = 0;  // of the window in the series
  double distance = 0;    // Euclidean, both windows brought to mean 0 and deviation 1; 0 .. 2 sqrt(length)
};

// Mean and standard deviation of a window; deviation 0 for one that is constant up to rounding.
struct Level {
  double mean = 0;
  double deviation = 0;
};
Level level_of(std::span<const double> window);

// Distance of two windows of `length` points from their dot product. Two constant windows are alike (0); a constant one
// is sqrt(length) away from any other.
double normalised_distance(double dot_product, std::size_t length, const Level& a, const Level& b);

// Distance of `query` to each window of `series`, series.size() - query.size() + 1 of them (none where it is shorter or
// the query is empty), in O(n log n): Mueen et al., "The fastest similarity search algorithm for time series
// subsequences under Euclidean distance" (MASS).
std::vector<double> distance_profile(std::span<const double> query, std::span<const double> series);

// The `most` smallest distances, smallest first, whose starts are at least `apart` (>= 1) from each other.
std::vector<Match> nearest(std::span<const double> profile, std::size_t most, std::size_t apart);

}  // namespace foreflow::predictor
