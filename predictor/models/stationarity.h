// SPDX-License-Identifier: Apache-2.0
// How often a series has to be differenced before an ARMA process can describe it.
// Place: predictor/models; the search for an ARIMA order. Sources: Kwiatkowski, Phillips, Schmidt & Shin 1992; Wang,
// Smith & Hyndman 2006 (seasonal strength).
#pragma once
#include <cstddef>
#include <span>

namespace foreflow::predictor {

// KPSS statistic for a constant level, with 3 sqrt(n) / 13 lags; .463 is its 5 % critical value. 0 for a constant.
double kpss(std::span<const double> z);

// 1 - var(remainder) / var(seasonal + remainder), within [0, 1], of a decomposition into a trend (moving average over a
// season) and a seasonal shape that may change over several years; 0 for less than two seasons.
double seasonal_strength(std::span<const double> z, std::size_t season);

// Ordinary differences (0..2) after which the level is stationary at 5 %. No value may be missing.
int differences_needed(std::span<const double> z);

// 1 where the seasonal strength is above .64.
int seasonal_differences_needed(std::span<const double> z, std::size_t season);

}  // namespace foreflow::predictor
