// SPDX-License-Identifier: Apache-2.0
// What a forecasting model is: a specification that can be fitted, and the fitted thing that can forecast.
// Place: predictor/models; evaluation and selection know models only by this interface.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "predictor/forecast.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Owns all it needs: it outlives the series it was fitted to. Thread safety: immutable.
class FittedModel {
 public:
  virtual ~FittedModel() = default;
  // Row h is the (h + 1)-th point after the end of the series. Keeps every promise of QuantileForecast.
  virtual QuantileForecast forecast(std::size_t horizon) const = 0;
};

// Thread safety: immutable; one specification fits many series.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::string name() const = 0;
  // Never fails: a series without a single value is forecast as zero, a short one by what it has.
  virtual std::unique_ptr<FittedModel> fit(const SeriesView& series) const = 0;
};

}  // namespace foreflow::predictor
