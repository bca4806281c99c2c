// SPDX-License-Identifier: Apache-2.0
// What a forecasting model is: a specification that can be fitted, and the fitted thing that can forecast.
// Place: predictor/models; evaluation and selection know models only by this interface.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"
#include "predictor/forecast.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Owns all it needs: it outlives the series it was fitted to. Thread safety: none; forecast() alone may run in
// parallel.
class FittedModel {
 public:
  virtual ~FittedModel() = default;
  // Row h is the (h + 1)-th point after the end of the series. Keeps every promise of QuantileForecast.
  virtual QuantileForecast forecast(std::size_t horizon) const = 0;
  // The series goes on by one point (NaN is a gap): the state moves, what was estimated stays. Cheap beside a fit.
  virtual void update(double value, bool limited) = 0;
};

// Thread safety: immutable; one specification fits many series.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::string name() const = 0;
  // Never fails: a series without a single value is forecast as zero, a short one by what it has.
  virtual std::unique_ptr<FittedModel> fit(const SeriesView& series) const = 0;
};

// A model whose parameters were learned from many series: fit() only attaches it to one, which it may never have seen.
class GlobalModel : public Model {
 public:
  // Versioned bytes for the same trainer's load(), the same on every platform of one byte order.
  virtual std::string save() const = 0;
};

// Learns a global model. Thread safety: immutable.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual std::string name() const = 0;
  // All points of `fleet` may be targets. kInvalidArgument when there is too little to learn from, with the reason.
  virtual Result<std::unique_ptr<GlobalModel>> train(std::span<const SeriesView> fleet) const = 0;
  // kMalformed: damaged; kUnsupported: another version.
  virtual Result<std::unique_ptr<GlobalModel>> load(std::string_view bytes) const = 0;
};

}  // namespace foreflow::predictor
