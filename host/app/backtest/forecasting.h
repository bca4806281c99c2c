// SPDX-License-Identifier: Apache-2.0
// Which model answers for a recorded series, learned before the first question.
// Place: host/app/backtest, for `forecast`.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/training.h"
#include "predictor/models/model.h"
#include "predictor/select/select_model.h"

namespace foreflow::backtest {

// Thread safety: fit() may run in parallel.
class Forecasting {
 public:
  struct Plan {
    std::string kind;        // vm, link, m4h
    std::string model;       // by name; "auto"
    std::size_t rows = 0;    // of each series of the fleet: what a model that learns from many may see
    bool on_others = false;  // the fleet is what will be forecast: learn from the other fold
    bool one_step = false;   // nothing but the next point will be asked for
  };

  // `fleet`: what models that learn from many series learn from. kInvalidArgument for an unknown model, with the known.
  static Result<Forecasting> prepare(const Plan& plan, std::span<const Recording> fleet);

  // For the points after `past`, which is the beginning of the series of this name. `horizon`: for which the model is
  // selected.
  std::unique_ptr<predictor::FittedModel> fit(std::string_view series, const predictor::SeriesView& past,
                                              std::size_t horizon) const;

 private:
  std::array<std::shared_ptr<const predictor::Model>, kFolds> by_fold_;
  predictor::Models candidates_;  // where one is selected for each series; by_fold_ is empty then
};

// Whether prepare() reads the fleet.
bool learns_from_many(const Forecasting::Plan& plan);

}  // namespace foreflow::backtest
