// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/seasonal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "predictor/models/empirical.h"
#include "predictor/series/recent.h"

namespace foreflow::predictor {
namespace {

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const SeriesView& series, const SameSlot& which, std::size_t fewest)
      : name_(std::move(name)),
        recent_(series, std::max((which.periods + 1) * series.season + which.neighbours, kTailPeriods * series.season)),
        which_(which),
        fewest_(fewest) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    const SeriesView past = recent_.view();
    const Quantiles fallback = empirical_quantiles(newest(past, std::max(past.season / 8, fewest_)));
    std::vector<Quantiles> rows;
    rows.reserve(horizon);
    for (std::size_t lead = 0; lead < horizon; ++lead)
      rows.push_back(lead < past.season ? slot(past, lead, fallback) : rows[lead - past.season]);
    return finish(rows, recent_max(past, kTailPeriods * past.season), name_);
  }

  void update(double value, bool limited) override { recent_.push(value, limited); }

 private:
  Quantiles slot(const SeriesView& past, std::size_t lead, const Quantiles& fallback) const {
    std::vector<Sample> samples = same_slot(past, lead, which_);
    return samples.size() < fewest_ ? fallback : empirical_quantiles(std::move(samples));
  }

  std::string name_;
  Recent recent_;  // all that same_slot() can ask for
  SameSlot which_;
  std::size_t fewest_;
};

}  // namespace

std::unique_ptr<FittedModel> Seasonal::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name(), series, which_, fewest_);
}

}  // namespace foreflow::predictor
