// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/command.h"

namespace foreflow::backtest {
namespace {

constexpr Command kCommands[] = {
    {"forecast", "quantile forecasts from fixed origins in the past, or one step ahead from each row", run_forecast},
    {"allocate", "what would have been allocated at each step, from the steps before it", run_allocate},
    {"contention", "what VMs on a link that is too small would have got at each step", run_contention},
    {"closed-loop", "what limits do to the traffic that they are learned from, and a bad model to both",
     run_closed_loop},
    {"lending", "what a device that lends leaves unserved on a link that is too small, by every 10 ms", run_lending},
    {"anomaly", "a score of each row: how strange it is, why, and for how long", run_anomaly},
    {"features", "what each series is like, as a vector of documented numbers", run_features},
    {"match", "where each series' newest window has been seen before, and what came then", run_match},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace foreflow::backtest
