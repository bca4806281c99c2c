// SPDX-License-Identifier: Apache-2.0
// Bursts that come by the clock: same time of day, same minute of the hour.
// Place: predictor/features. Half of the sudden bursts of VMs are timers (backups, reports, log rotation), which smooth
// seasonal shapes do not see. Thread safety: pure functions.
#pragma once
#include <cstddef>
#include <vector>

#include "predictor/series/series.h"

namespace foreflow::predictor {

struct TimerSearch {
  std::size_t period = 288;    // points: a day, an hour, a week of 5 minutes
  std::size_t tolerance = 2;   // points on each side that count as the same time
  double quantile = .95;       // a burst is above this of the known values ...
  double significance = 1e-3;  // for the whole search: each place in the period is tested at this / period
};

struct BurstTimer {
  std::size_t place = 0;    // in the period, 0 .. period - 1
  std::size_t hits = 0;     // periods with a burst that began within the tolerance
  std::size_t periods = 0;  // that were looked at
  double height = 0;        // mean of the bursts' first values
  double probability = 1;   // of so many hits if bursts came at any time (binomial)
};

// Points at which a burst begins: above the quantile, the point before is not. Gaps end bursts.
std::vector<std::size_t> burst_onsets(const SeriesView& series, double quantile);

// Timers by probability, the surest first; places nearer than 2 * tolerance + 1 to a surer one belong to that. The
// first place of the period is by series.phase (of `season` points, a multiple or a divisor of the period).
std::vector<BurstTimer> burst_timers(const SeriesView& series, const TimerSearch& search);

// Share of the onsets that begin within the tolerance of one of the timers; 0 without onsets.
double share_by_timers(const SeriesView& series, const TimerSearch& search, const std::vector<BurstTimer>& timers);

}  // namespace foreflow::predictor
