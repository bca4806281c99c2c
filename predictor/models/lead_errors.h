// SPDX-License-Identifier: Apache-2.0
// Quantiles of a recursion's own past forecast errors, by lead.
// Place: predictor/models. Bands from past errors stay calibrated where the model's assumed distribution (Gaussian,
// constant variance) does not hold, which is the rule for demand.
#pragma once
#include <cstddef>
#include <vector>

#include "predictor/models/empirical.h"
#include "predictor/models/recursion.h"
#include "predictor/models/scale.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Errors of neighbouring leads are taken together (lead h with those from 5/6 h to 6/5 h), so that a high quantile
// rests on more than the few dozen origins from which long paths are forecast. Leads beyond the longest that was
// measured get its quantiles, widened by the square root of the lead's ratio.
class LeadErrors {
 public:
  // Runs `recursion` (before its first point) through `series` on `scale` to its end, and forecasts on the way: short
  // paths often, long ones (two seasons at least 48 points, at most a third of the series) a few dozen times. A limited
  // point is stepped as the larger of itself and the forecast; its error is a lower bound.
  LeadErrors(Recursion& recursion, const SeriesView& series, Scale scale);

  // Quantiles (kQuantiles) of actual - forecast at lead `lead` (from 0), on the recursion's scale. Zeros when no error
  // was seen.
  Quantiles at(std::size_t lead) const;

 private:
  std::vector<std::size_t> knots_;  // leads, counted from 1, increasing
  std::vector<Quantiles> quantiles_;
};

}  // namespace foreflow::predictor
