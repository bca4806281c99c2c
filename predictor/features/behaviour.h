// SPDX-License-Identifier: Apache-2.0
// behaviour_v1: how a VM behaves over days, in 32 numbers.
// Place: predictor/features; model selection narrows its candidates by them. Names, order and meaning of a version
// never change; a change is a new version. Thread safety: pure functions. Cost: docs/BENCHMARKS.md.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "common/result.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

inline constexpr std::string_view kBehaviourVersion = "behaviour_v1";
inline constexpr std::size_t kBehaviourFewest = 2;  // seasons (days) of known points

// "log" = of log(1 + x). Times are in points (5 minutes) and days (seasons).
inline constexpr std::array<std::string_view, 32> kBehaviourNames{
    "days",                      // length of the series
    "gap_share",                 // of its points
    "limited_share",             // of the known points: only lower bounds
    "zero_share",                // of the known points
    "mean",                      // in the unit of the series
    "p50_to_mean",               // quantiles over the mean
    "p95_to_mean",               //
    "p99_to_mean",               //
    "p999_to_mean",              //
    "max_to_mean",               //
    "tail_index",                // Hill, the largest 1 %; 0 where it cannot be told
    "hurst",                     // of the log; .5 where it cannot be told
    "log_deviation",             // standard deviation of the log
    "log_autocorrelation_1",     // at 1 point
    "log_autocorrelation_hour",  // at a 24th of a day
    "log_autocorrelation_day",   // at a day
    "log_autocorrelation_week",  // at 7 days
    "day_strength",              // share of the log's variance that means by time of day explain
    "week_strength",             // the same by time of the week; 0 for less than two weeks
    "day_timers",                // bursts at the same time of day: how many timers
    "day_timer_share",           // share of the bursts they explain
    "hour_timers",               // at the same minute of the hour
    "hour_timer_share",          //
    "period",                    // strongest significant period of the log, in days; 0 = none
    "period_share",              // of the log's variance
    "trend",                     // robust slope of daily means of the log, per day
    "changes_per_day",           // lasting changes of level in hourly means of the log
    "energy_minutes",            // share of the log's variance in changes on scales of 1 to 4 points (D8)
    "energy_hour",               // 8 and 16 points
    "energy_hours",              // 32 and 64 points
    "energy_days",               // beyond
    "noise_share",               // share of the log's variance that denoising takes away
};
using BehaviourVector = std::array<double, kBehaviourNames.size()>;

// The same slots whatever the season is, as long as it has at least 24 points.
// kInvalidArgument: "not enough data" when fewer than kBehaviourFewest seasons of points are known, or the season is
// too short.
Result<BehaviourVector> behaviour_v1(const SeriesView& series);

}  // namespace foreflow::predictor
