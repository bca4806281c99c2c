// SPDX-License-Identifier: Apache-2.0
// One recurrent network for all VMs: the quantiles of demand from the last two hours, the same two hours a day before,
// and what DemandState says of the target.
// Place: predictor/models/global. It serves VMs that it has never seen: all it is told is relative to the VM's level.
// Source: Salinas et al. 2020 (one network for many series), Wen et al. 2017 (quantile outputs, pinball loss), Kingma &
// Ba 2015 (Adam).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "predictor/features/demand_state.h"
#include "predictor/models/global/boosted.h"
#include "predictor/models/global/lstm_network.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

struct LstmPlan {
  LstmShape shape{.statics = kDemandFeatures};              // steps: points of history
  std::vector<LeadBand> bands{{0, 0}, {1, 11}, {12, 287}};  // rows are drawn for each; one network learns them all
  std::size_t rows = 60'000;                                // of a band, at most
  std::size_t least_rows = 2'000;                           // of all bands; fewer cannot teach anything
  std::size_t epochs = 12;                                  // at most
  std::size_t patience = 2;                                 // epochs without a gain on held-out series before it ends
  std::size_t batch = 128;
  double learning_rate = 3e-3;  // halved after each epoch without a gain
  std::uint64_t seed = 1;
};

class LstmTrainer final : public Trainer {
 public:
  explicit LstmTrainer(LstmPlan plan = {}) : plan_(std::move(plan)) {}

  std::string name() const override { return "lstm"; }
  // Every eighth series is held out to tell when to stop. Limited points and gaps are no targets. The same fleet and
  // plan give the same network.
  Result<std::unique_ptr<GlobalModel>> train(std::span<const SeriesView> fleet) const override;
  Result<std::unique_ptr<GlobalModel>> load(std::string_view bytes) const override;

 private:
  LstmPlan plan_;
};

}  // namespace foreflow::predictor
