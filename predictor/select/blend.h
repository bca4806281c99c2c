// SPDX-License-Identifier: Apache-2.0
// Several models as one, each with a say according to what it would have lost lately.
// Place: predictor/select. Unlike the median of paths (models/ensemble.h) it averages quantiles, so it can join models
// that know no path: boosted trees, networks, quantiles of windows.
// Source: Bates & Granger 1969 (weights by past errors); averages of quantiles on log1p, one weight for each quantile.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "predictor/evaluate/rolling_origin.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

// Never null.
using SharedModels = std::vector<std::shared_ptr<const Model>>;

// Leads that share their weights: `first` ... rolling.horizon - 1. Their losses are those at `rolling`'s origins.
struct BlendBand {
  std::size_t first = 0;
  RollingOrigin rolling;
};

struct BlendPlan {
  std::vector<BlendBand> bands;  // rising; leads beyond the last are weighted as the last
  std::size_t newest = 8'928;    // points that are looked at; older ones no longer matter
  double sharpness = 10;         // a weight is loss^-sharpness
};

// An hour from the origins of the last week, a day from twice a day of it.
BlendPlan blend_plan(std::size_t season);

class Blend final : public Model {
 public:
  // `members`: not empty.
  Blend(std::string name, SharedModels members, BlendPlan plan);

  std::string name() const override { return name_; }
  // With too little history for a single origin the first member alone speaks. A forecast's model says who has a say.
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override;

 private:
  std::string name_;
  SharedModels members_;
  BlendPlan plan_;
};

// For a VM's demand: `global` (may be null), what has been usual lately and at this time of the day, and regressions on
// the last points and the last days.
std::unique_ptr<Model> demand_blend(std::shared_ptr<const Model> global, std::size_t season);

}  // namespace foreflow::predictor
