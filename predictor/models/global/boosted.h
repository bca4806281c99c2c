// SPDX-License-Identifier: Apache-2.0
// One set of boosted trees for all VMs: the quantiles of demand from a VM's recent past, its usual level and the same
// time on former days.
// Place: predictor/models/global. It serves VMs that it has never seen: features and targets are relative to the VM's
// own level.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "predictor/models/global/quantile_trees.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

// Leads that share their trees. For season 288: the next point, the rest of the hour, the rest of the day.
struct LeadBand {
  std::size_t first = 0;
  std::size_t last = 0;
};

struct BoostedPlan {
  BoostingPlan trees{.quantiles = {kQuantiles.begin(), kQuantiles.end()}, .tilt = .5};
  std::vector<LeadBand> bands{{0, 0}, {1, 11}, {12, 287}};  // leads beyond the last band are forecast by it
  std::size_t rows = 150'000;                               // drawn for each band, at most
  std::size_t least_rows = 2'000;                           // fewer cannot teach anything
};

class BoostedTrainer final : public Trainer {
 public:
  explicit BoostedTrainer(BoostedPlan plan = {}) : plan_(std::move(plan)) {}

  std::string name() const override { return "boosted"; }
  // Limited points and gaps are no targets. CPU: some 10 s for 100 VMs x 28 days of 288 points and the default plan.
  Result<std::unique_ptr<GlobalModel>> train(std::span<const SeriesView> fleet) const override;
  Result<std::unique_ptr<GlobalModel>> load(std::string_view bytes) const override;

 private:
  BoostedPlan plan_;
};

}  // namespace foreflow::predictor
