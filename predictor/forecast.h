// SPDX-License-Identifier: Apache-2.0
// A quantile forecast: what every model returns and everything downstream reads.
// Place: predictor.
#pragma once
#include <array>
#include <cstddef>
#include <string>

#include <Eigen/Core>

namespace foreflow::predictor {

inline constexpr std::array<double, 5> kQuantiles{.5, .9, .95, .99, .999};

// values: horizon x kQuantiles.size(), in the unit of the series; each row non-decreasing, nothing negative or NaN.
struct QuantileForecast {
  Eigen::ArrayXXd values;
  std::string model;
  std::size_t horizon() const { return static_cast<std::size_t>(values.rows()); }
};

}  // namespace foreflow::predictor
