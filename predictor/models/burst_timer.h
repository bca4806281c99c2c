// SPDX-License-Identifier: Apache-2.0
// Bursts come again when they have come before: the usual demand of the last hours, and at the places of burst timers
// what former periods had there.
// Place: predictor/models. Unlike Seasonal it trusts the clock only where bursts follow it beyond chance, and then
// looks back over four weeks: a timer that fires on one day of seven is in the upper quantiles too.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "predictor/models/model.h"

namespace foreflow::predictor {

class BurstTimerModel final : public Model {
 public:
  std::string name() const override { return "burst_timer"; }
  // Looks for timers by the day and, on grids of at least kFewestInHour points an hour, by the hour (burst_timers()).
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override;

  static constexpr std::size_t kPeriods = 28;  // days that are remembered
  static constexpr std::size_t kFewestInHour = 4;
};

}  // namespace foreflow::predictor
