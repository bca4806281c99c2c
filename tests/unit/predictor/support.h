// SPDX-License-Identifier: Apache-2.0
// Short ways to write series in tests.
#pragma once
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/forecast.h"
#include "predictor/series/series.h"

namespace foreflow::predictor::testing {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

inline Series series(const std::vector<double>& values, std::size_t season = 24) {
  Series series(season);
  for (const double value : values) series.push(value);
  return series;
}

// `days` days of 24 points: 100, but 5,000 at 9 o'clock.
inline Series timer(std::size_t days) {
  Series series(24);
  for (std::size_t i = 0; i < 24 * days; ++i) series.push(i % 24 == 9 ? 5'000 : 100);
  return series;
}

// Those of QuantileForecast.
inline void expect_promises_kept(const QuantileForecast& forecast, std::size_t horizon) {
  ASSERT_EQ(forecast.horizon(), horizon);
  ASSERT_EQ(forecast.values.cols(), static_cast<Eigen::Index>(kQuantiles.size()));
  EXPECT_TRUE(forecast.values.allFinite());
  EXPECT_GE(forecast.values.minCoeff(), 0);
  for (Eigen::Index q = 1; q < forecast.values.cols(); ++q)
    EXPECT_TRUE((forecast.values.col(q) >= forecast.values.col(q - 1)).all());
}

}  // namespace foreflow::predictor::testing
