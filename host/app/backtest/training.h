// SPDX-License-Identifier: Apache-2.0
// Models that learn from many series, trained so that no series is forecast by a model that has learned from it.
// Place: host/app/backtest.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "host/app/backtest/dataset.h"
#include "predictor/models/model.h"

namespace foreflow::backtest {

inline constexpr std::size_t kFolds = 2;

// By a fixed hash of the name (FNV-1a): the same on every machine and in every run.
std::size_t fold_of(std::string_view series);

// A model for each fold of series: where the scored series are those of training, each learned from the other fold;
// otherwise both are the same one, learned from all.
class Trained {
 public:
  explicit Trained(std::vector<std::shared_ptr<const predictor::GlobalModel>> by_fold) : by_fold_(std::move(by_fold)) {}
  const predictor::GlobalModel& model_for(std::string_view series) const { return *by_fold_[fold_of(series)]; }
  const std::shared_ptr<const predictor::GlobalModel>& of_fold(std::size_t fold) const { return by_fold_[fold]; }

 private:
  std::vector<std::shared_ptr<const predictor::GlobalModel>> by_fold_;
};

// Learns from the first `rows` rows of each series; rows that were not observed are gaps.
Result<Trained> train_on_others(const predictor::Trainer& trainer, std::span<const Recording> fleet, std::size_t rows);
Result<Trained> train_on_all(const predictor::Trainer& trainer, std::span<const Recording> fleet, std::size_t rows);

}  // namespace foreflow::backtest
