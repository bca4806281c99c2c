// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/seasonal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "predictor/models/empirical.h"

namespace foreflow::predictor {
namespace {

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const SeriesView& series, const SameSlot& which, std::size_t fewest)
      : name_(std::move(name)),
        recent_(series.last((which.periods + 1) * series.season + which.neighbours)),
        which_(which),
        fewest_(fewest),
        fallback_(empirical_quantiles(newest(series, std::max(series.season / 8, fewest)))),
        tail_(recent_max(series, kTailPeriods * series.season)) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    std::vector<Quantiles> rows;
    rows.reserve(horizon);
    for (std::size_t lead = 0; lead < horizon; ++lead)
      rows.push_back(lead < recent_.view().season ? slot(lead) : rows[lead - recent_.view().season]);
    return finish(rows, tail_, name_);
  }

 private:
  Quantiles slot(std::size_t lead) const {
    std::vector<Sample> samples = same_slot(recent_.view(), lead, which_);
    return samples.size() < fewest_ ? fallback_ : empirical_quantiles(std::move(samples));
  }

  std::string name_;
  Series recent_;  // all that same_slot() can ask for
  SameSlot which_;
  std::size_t fewest_;
  Quantiles fallback_;
  double tail_;
};

}  // namespace

std::unique_ptr<FittedModel> Seasonal::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name(), series, which_, fewest_);
}

}  // namespace foreflow::predictor
