// SPDX-License-Identifier: Apache-2.0
// Decisions as points of the store: vm_alloc and vm_forecast.
// Place: host/app. Pure.
#pragma once
#include <vector>

#include "host/app/planner.h"
#include "host/store/series_store.h"

namespace foreflow::app {

store::Point allocation_point(const Decision& decision, const store::Tags& tags, UnixNanos time);

// One point per lead that is kept, at the start of the interval it speaks of. Needs a forecast.
std::vector<store::Point> forecast_points(const Decision& decision, const store::Tags& tags);

}  // namespace foreflow::app
