// SPDX-License-Identifier: Apache-2.0
// The three oldest forecasts: the last value, the value a season ago, the last value and the average slope so far.
// Place: predictor/models. They are what every other model has to beat, and what a model falls back to.
#pragma once
#include <memory>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

enum class NaiveKind { kLast, kSeasonal, kDrift };

class Naive final : public PathModel {
 public:
  explicit Naive(NaiveKind kind, Scale scale = Scale::kRaw);

  std::size_t needs(std::size_t) const override { return kind_ == NaiveKind::kDrift ? 2 : 1; }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  NaiveKind kind_;
};

// The recursion of NaiveKind::kLast: 0 before the first value.
std::unique_ptr<Recursion> last_value();

}  // namespace foreflow::predictor
