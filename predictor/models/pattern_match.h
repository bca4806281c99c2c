// SPDX-License-Identifier: Apache-2.0
// What followed when the series last looked as it does now.
// Place: predictor/models.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

struct PatternMatchSpec {
  Scale scale = Scale::kLog1p;
  std::size_t window = 24;   // points that are compared
  std::size_t matches = 8;   // the nearest of which are averaged
  std::size_t seasons = 28;  // that are searched
};

// The mean of the continuations of the nearest windows, shifted to the present level, weighted by 1 / (distance +
// 1 / 10 of the largest possible). A continuation that is not yet known to its end goes on with its last value.
class PatternMatch final : public PathModel {
 public:
  explicit PatternMatch(const PatternMatchSpec& spec = {});

  std::size_t needs(std::size_t season) const override { return std::max(season, 4 * spec_.window); }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  PatternMatchSpec spec_;
};

}  // namespace foreflow::predictor
