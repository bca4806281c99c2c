// SPDX-License-Identifier: Apache-2.0
// Learns a global model from the fleet's own history, and says whether it is better than what is in force.
// Place: host/forecast. Pure; one thread's work, which the caller runs where it disturbs nobody.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "common/result.h"
#include "predictor/models/model.h"
#include "predictor/select/select_model.h"

namespace foreflow::forecast {

struct TrainingPlan {
  std::size_t least_series = 30;
  std::size_t least_days = 7;  // of each series, without what is held out
  std::size_t held_out = 1;    // days at the end that are only judged
  std::size_t horizon = 12;    // points ahead that are judged
  double least_gain = .01;     // of the loss: less is no reason to change anything
};

struct Trained {
  std::shared_ptr<const predictor::GlobalModel> model;
  std::size_t series = 0;  // it was learned from
  double loss = 0;         // on the days held out: mean pinball loss relative to each series' mean, mean over series
  double before = 0;       // of what is in force there: the present global model, or the best local one per series
  bool better = false;     // by least_gain
};

// Series that are too short are left out; limited points and gaps are no targets. kInvalidArgument: too little to learn
// from, with the reason.
Result<Trained> train(std::span<const predictor::Series> fleet, const predictor::Trainer& trainer,
                      const predictor::GlobalModel* present, const TrainingPlan& plan);

}  // namespace foreflow::forecast
