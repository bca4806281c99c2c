// SPDX-License-Identifier: Apache-2.0
// The distance profile of the newest window, kept up to date point by point.
// Place: predictor/match. One new point costs O(n), not O(n log n): all dot products move along their diagonal, as in
// STOMP (Zhu et al. 2016). Thread safety: none. Memory: about eight numbers per point kept.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "predictor/match/distance_profile.h"

namespace foreflow::predictor {

class RollingProfile {
 public:
  // `length` >= 1 points in a window; the newest `kept` points (at least 2 * length) are searched.
  RollingProfile(std::size_t length, std::size_t kept);

  // `value` is finite.
  void push(double value);

  // What is searched, oldest first; the query is its last `length` points.
  std::span<const double> values() const { return values_; }
  Level query() const { return levels_.empty() ? Level{} : levels_.back(); }
  // Of windows that are followed by at least `length` points, so that none overlaps the query.
  std::vector<double> distances() const;
  Level level(std::size_t start) const { return levels_[start]; }

 private:
  void trim();
  void start_anew();

  std::size_t length_;
  std::size_t kept_;
  std::vector<double> values_;
  std::vector<Level> levels_;     // of each window, by its start
  std::vector<double> products_;  // of each window with the newest one
};

}  // namespace foreflow::predictor
