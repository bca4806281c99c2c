// SPDX-License-Identifier: Apache-2.0
// Which knob of the allocation law keeps what each quantile promises, learned from the fleet's last days.
// Place: host/forecast. Pure; one thread's work, which the caller runs where it disturbs nobody.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "common/result.h"
#include "host/forecast/global_training.h"
#include "host/forecast/service.h"

namespace foreflow::forecast {

inline constexpr std::size_t kLawDays = 3;      // at the end of each series, that are judged
inline constexpr std::size_t kLawSeries = 200;  // at most, evenly chosen: about .3 s each

// Each series under the model that would be chosen for it before those days, `present` (may be null) among the
// candidates. kInvalidArgument: fewer than plan.least_series are long enough.
Result<Law> learn_law(std::span<const predictor::Series> fleet, std::shared_ptr<const predictor::Model> present,
                      const TrainingPlan& plan);

}  // namespace foreflow::forecast
