// SPDX-License-Identifier: Apache-2.0
// edge_v1: the last minutes of a VM in 20 numbers, cheap enough to be made beside the dataplane.
// Place: predictor/features. Names, order and meaning of a version never change; a change is a new version. Thread
// safety: pure functions. Cost: docs/BENCHMARKS.md.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "common/result.h"

namespace foreflow::predictor {

inline constexpr std::string_view kEdgeVersion = "edge_v1";
inline constexpr std::size_t kEdgeFewest = 64;  // samples
inline constexpr std::size_t kEdgeMost = 900;   // 15 minutes of 1 s; only the newest count

inline constexpr std::array<std::string_view, 20> kEdgeNames{
    "mean",                // in the unit of the samples, as p50 to max
    "p50",                 // the smallest value that half of the samples do not exceed
    "p95",                 //
    "p99",                 //
    "max",                 //
    "variation",           // standard deviation / mean
    "peak_to_mean",        // max / mean
    "zero_share",          // samples that are 0
    "burst_share",         // samples above twice the mean
    "burst_count",         // runs of them
    "burst_seconds",       // mean length of a run, in samples
    "newest_to_mean",      // mean of the newest 10 / mean
    "trend",               // straight line of least squares: change over the window / mean
    "autocorrelation_1",   // at lag 1
    "autocorrelation_10",  // at lag 10
    "hurst",               // by variance and time; .5 where it cannot be told
    "period",              // of the strongest period that is significant at .1 %, in samples; 0 = none
    "period_share",        // of the variance
    "energy_fine",         // share of the variance in changes on scales of 1 and 2 samples (Haar)
    "energy_coarse",       // in those beyond 16 samples
};
using EdgeVector = std::array<double, kEdgeNames.size()>;

// `samples`: one per second, oldest first, NaN or negative = missing (filled between its neighbours).
// kInvalidArgument: "not enough data" when fewer than kEdgeFewest are known.
Result<EdgeVector> edge_v1(std::span<const double> samples);

}  // namespace foreflow::predictor
