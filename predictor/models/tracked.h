// SPDX-License-Identifier: Apache-2.0
// A model that goes along with one series: fitted now and then, moved on by each point, its quantiles corrected by what
// came.
// Place: predictor/models; the forecast service has one for each VM and direction.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "predictor/models/conformal.h"
#include "predictor/models/model.h"

namespace foreflow::predictor {

// How often values lay below the corrected quantiles of the next point.
struct Coverage {
  std::size_t points = 0;
  std::array<std::size_t, kQuantiles.size()> below{};
};

// Thread safety: none. Memory: the fitted model and horizon * (horizon + 1) / 2 rows of quantiles.
class Tracked {
 public:
  explicit Tracked(std::size_t horizon);

  // A fit to all that is known of the series. The corrections stay: they are the series' own, not the model's.
  void fit(const Model& model, const SeriesView& series);
  bool is_fitted() const { return model_ != nullptr; }
  // The next point has come (NaN: a gap). After a fit or another point, and a forecast.
  void arrive(double value, bool limited);
  // Points were missed: what was told of them cannot be judged.
  void skip();

  // Of the points that follow; the same until the next point unless the model was fitted again.
  const QuantileForecast& forecast();
  const Coverage& coverage() const { return coverage_; }

 private:
  std::unique_ptr<FittedModel> model_;
  std::vector<LeadConformal> corrections_;  // by lead
  QuantileForecast told_;
  bool is_told_ = false;     // of the present fit
  bool is_waiting_ = false;  // what was told of the next point waits for it
  Coverage coverage_;
};

}  // namespace foreflow::predictor
