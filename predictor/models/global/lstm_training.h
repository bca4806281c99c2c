// SPDX-License-Identifier: Apache-2.0
// How the network learns: standardised rows, minibatches, Adam, and an end when held-out series no longer gain.
// Place: predictor/models/global.
#pragma once
#include <span>

#include "predictor/models/global/lstm.h"
#include "predictor/models/global/lstm_network.h"
#include "predictor/models/global/quantile_trees.h"

namespace foreflow::predictor {

using LstmNet = LstmNetwork<float>;

// Brings a feature to mean 0 and deviation 1; what lies further out than kFurthest is taken for that.
struct Standard {
  static constexpr float kFurthest = 8;
  Eigen::VectorXf mean;
  Eigen::VectorXf scale;  // 1 / deviation; 0 for a constant feature
  // rows.features x rows.size()
  LstmNet::Matrix apply(std::span<const float> values) const;
};

// `rows` must not be empty.
Standard standard_of(const TrainingRows& rows);

// The network with the lowest loss on `held_out` (on `rows` where that is empty).
LstmNet learn(const TrainingRows& rows, const TrainingRows& held_out, const Standard& standard, const LstmPlan& plan);

}  // namespace foreflow::predictor
