// SPDX-License-Identifier: Apache-2.0
// Gives the forecast service back what it knew before a restart.
// Place: host/app.
#pragma once
#include <filesystem>

#include "host/app/roster.h"
#include "host/forecast/service.h"
#include "host/store/series_store.h"

namespace foreflow::app {

// From the service's own file where it is usable, then from the store what was reported since (at most kMostRaw back).
// Without the file: the store's tiers. A damaged file or store is a warning, never a reason not to start.
void restore_history(forecast::ForecastService& forecasts, store::SeriesStore& store, const Roster& roster,
                     const std::filesystem::path& file, const forecast::ForecastConfig& config, UnixNanos now);

}  // namespace foreflow::app
