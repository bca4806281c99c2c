// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/path_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/models/empirical.h"
#include "predictor/models/lead_errors.h"
#include "predictor/models/naive.h"
#include "predictor/series/recent.h"

namespace foreflow::predictor {
namespace {

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, Scale scale, std::unique_ptr<Recursion> recursion, const SeriesView& modelled,
         const SeriesView& series)
      : name_(std::move(name)),
        scale_(scale),
        recursion_(std::move(recursion)),
        errors_(*recursion_, modelled, scale),
        recent_(series, kTailPeriods * series.season),
        peak_(recent_max(series, series.size())) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    std::vector<double> path(horizon);
    recursion_->ahead(path);
    const double highest = kPlausible * peak_;
    std::vector<Quantiles> rows;
    rows.reserve(horizon);
    for (std::size_t lead = 0; lead < horizon; ++lead) {
      Quantiles row = errors_.at(lead);
      for (double& value : row) value = std::min(from_scale(scale_, path[lead] + value), highest);
      rows.push_back(row);
    }
    const SeriesView recent = recent_.view();
    return finish(rows, recent_max(recent, recent.size()), name_);
  }

  void update(double value, bool limited) override {
    recent_.push(value, limited);
    const bool known = std::isfinite(value) && value >= 0;
    if (known) peak_ = std::max(peak_, value);
    const double z = known ? to_scale(scale_, value) : std::nan("");
    recursion_->step(limited ? std::max(z, next(*recursion_)) : z);
  }

 private:
  std::string name_;
  Scale scale_;
  std::unique_ptr<Recursion> recursion_;
  LeadErrors errors_;
  Recent recent_;
  double peak_;
};

}  // namespace

std::unique_ptr<FittedModel> PathModel::fit(const SeriesView& series) const {
  const SeriesView modelled = series.last(most_points(series.season));
  const Scaled known = scaled(modelled, scale_);
  std::unique_ptr<Recursion> recursion = known.known < needs(series.season) ? last_value() : estimate(known);
  return std::make_unique<Fitted>(name_, scale_, std::move(recursion), modelled, series);
}

}  // namespace foreflow::predictor
