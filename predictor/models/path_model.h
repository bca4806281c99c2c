// SPDX-License-Identifier: Apache-2.0
// Models that forecast a path and take their band from their own past errors.
// Place: predictor/models; the common half of naive, smoothing, Theta, ARIMA, regression and their ensemble.
#pragma once
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "predictor/models/model.h"
#include "predictor/models/recursion.h"
#include "predictor/models/scale.h"

namespace foreflow::predictor {

// No forecast is above this many times the largest value of the series so far.
inline constexpr double kPlausible = 3;

inline constexpr std::size_t kAllPoints = std::numeric_limits<std::size_t>::max();

// A family says how to estimate; everything else (scale, gaps, limited points, quantiles, the promises of a forecast)
// is here. A family whose needs() are not met is answered by the last value.
class PathModel : public Model {
 public:
  PathModel(std::string name, Scale scale) : name_(std::move(name)), scale_(scale) {}

  std::string name() const final { return name_; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const final;

  // Known points without which nothing can be estimated, for a series of this season.
  virtual std::size_t needs(std::size_t season) const = 0;
  // The newest points that matter; estimate() sees no older ones, and the recursion starts at the first of them.
  virtual std::size_t most_points(std::size_t) const { return kAllPoints; }
  // Never null. `series.known` >= needs(), `series.z` at most most_points() long.
  virtual std::unique_ptr<Recursion> estimate(const Scaled& series) const = 0;
  Scale scale() const { return scale_; }

 private:
  std::string name_;
  Scale scale_;
};

}  // namespace foreflow::predictor
