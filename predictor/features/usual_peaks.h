// SPDX-License-Identifier: Apache-2.0
// How high a series has been: lately, at this time on former days, and ever so often.
// Place: predictor/features; the allocation law weighs these against the quantiles of a forecast.
#pragma once
#include <cstddef>
#include <vector>

#include "predictor/features/running_max.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Thread safety: none. Memory: 8 periods of points as float. A gap counts as nothing.
class UsualPeaks {
 public:
  explicit UsualPeaks(std::size_t season);

  void push(double value);

  // The largest of the last two hours and of the next point's time, give or take half an hour, in the last 7 periods.
  double usual() const;
  double hours() const { return three_hours_.value(); }  // the largest of the last three hours
  // The largest of the last period, of the last 7 and of the last 28.
  double day() const { return day_.value(); }
  double week() const { return week_.value(); }
  double month() const { return month_.value(); }
  // How far values have lately been from their mean: standard deviation, newer ones weigh more (.3 of the newest).
  double swing() const;

 private:
  static constexpr std::size_t kPeriods = 7;

  std::size_t season_;
  std::size_t half_;  // points in half an hour
  std::size_t size_ = 0;
  std::vector<float> around_;  // ring: the largest within half_ of each point, as far as known
  std::vector<float> values_;  // the last half_ points
  RunningMax two_hours_;
  RunningMax three_hours_;
  RunningMax day_;
  RunningMax week_;
  RunningMax month_;
  double mean_ = 0;
  double variance_ = 0;
};

}  // namespace foreflow::predictor
