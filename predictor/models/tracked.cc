// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/tracked.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {

Tracked::Tracked(std::size_t horizon) {
  corrections_.reserve(horizon);
  for (std::size_t lead = 1; lead <= horizon; ++lead) corrections_.emplace_back(lead);
}

void Tracked::fit(const Model& model, const SeriesView& series) {
  model_ = model.fit(series);
  is_told_ = false;
}

void Tracked::arrive(double value, bool limited) {
  if (is_told_ && !std::isnan(value) && !limited) {
    ++coverage_.points;
    for (std::size_t q = 0; q < kQuantiles.size(); ++q)
      if (value <= told_.values(0, static_cast<Eigen::Index>(q))) ++coverage_.below[q];
  }
  model_->update(value, limited);
  for (LeadConformal& correction : corrections_) correction.arrive(value, limited);
  is_told_ = is_waiting_ = false;
}

void Tracked::skip() {
  for (LeadConformal& correction : corrections_) correction.skip();
  is_told_ = is_waiting_ = false;
}

const QuantileForecast& Tracked::forecast() {
  if (is_told_) return told_;
  told_ = model_->forecast(corrections_.size());
  for (std::size_t lead = 0; lead < corrections_.size(); ++lead) {
    auto row = told_.values.row(static_cast<Eigen::Index>(lead));
    Quantiles quantiles{};
    std::copy(row.begin(), row.end(), quantiles.begin());
    const Quantiles corrected =
        is_waiting_ ? corrections_[lead].correct_again(quantiles) : corrections_[lead].correct(quantiles);
    std::copy(corrected.begin(), corrected.end(), row.begin());
  }
  is_told_ = is_waiting_ = true;
  return told_;
}

}  // namespace foreflow::predictor
