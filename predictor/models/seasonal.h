// SPDX-License-Identifier: Apache-2.0
// The future is like the same slot of former periods: empirical quantiles of that slot and its neighbours.
// Place: predictor/models. Bursts of VMs are timers: half of them fall on a burst of the last 7 days, give or take 15
// minutes, which smooth seasonal shapes do not see.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "predictor/features/samples.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

class Seasonal final : public Model {
 public:
  // A slot with fewer values than `fewest` is forecast by the last hours' quantiles instead (1/8 period).
  explicit Seasonal(SameSlot which, std::size_t fewest = 5) : which_(which), fewest_(fewest) {}

  std::string name() const override { return "seasonal"; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override;

 private:
  SameSlot which_;
  std::size_t fewest_;
};

}  // namespace foreflow::predictor
