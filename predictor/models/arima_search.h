// SPDX-License-Identifier: Apache-2.0
// The ARIMA model of a series whose order is chosen by the series.
// Place: predictor/models. Source: Hyndman & Khandakar 2008: differences by tests, then a walk over neighbouring orders
// that follows the corrected Akaike criterion.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "predictor/models/arima.h"
#include "predictor/models/path_model.h"

namespace foreflow::predictor {

struct ArimaSearch {
  int most_lags = 5;           // of p and q
  int most_seasonal_lags = 2;  // of P and Q
  std::size_t most_orders = 94;
};

// Best order found and its fit. z: NaN = missing, at least 10 known. season 1: no seasonal part. Orders with a root
// closer to the unit circle than 1 % are passed over. Always an answer: white noise about a mean at worst. With gaps
// the order is chosen on a series with straight lines across them, then fitted to the known points alone.
ArimaFit search_arima(std::span<const double> z, std::size_t season, const ArimaSearch& limits = {});

struct ArimaSpec {
  Scale scale = Scale::kRaw;
  ArimaSearch search;
  std::size_t longest_season = 48;  // longer ones are described by `harmonics` instead of seasonal lags
  std::size_t harmonics = 6;
  std::size_t most_points = 2'016;  // older points are not estimated from
};

class Arima final : public PathModel {
 public:
  explicit Arima(const ArimaSpec& spec = {});

  std::size_t needs(std::size_t) const override { return 12; }
  std::size_t most_points(std::size_t) const override { return spec_.most_points; }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  ArimaSpec spec_;
};

}  // namespace foreflow::predictor
