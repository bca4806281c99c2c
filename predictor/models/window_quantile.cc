// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/window_quantile.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/models/empirical.h"
#include "predictor/series/recent.h"

namespace foreflow::predictor {
namespace {

// Gaps inside the window are made up for by older points, so more than the window is kept.
constexpr std::size_t kRoomForGaps = 2;

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const SeriesView& series, std::size_t window)
      : name_(std::move(name)), window_(window), recent_(series, kept(series, window)) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    const SeriesView view = recent_.view();
    return finish(std::vector<Quantiles>(horizon, empirical_quantiles(newest(view, window_))),
                  recent_max(view, kTailPeriods * view.season), name_);
  }

  void update(double value, bool limited) override { recent_.push(value, limited); }

 private:
  static std::size_t kept(const SeriesView& series, std::size_t window) {
    const std::size_t tail = kTailPeriods * series.season;
    const std::size_t whole = std::max(series.size(), tail);
    return window > whole ? whole : std::max(kRoomForGaps * window, tail);
  }

  std::string name_;
  std::size_t window_;
  Recent recent_;
};

}  // namespace

std::unique_ptr<FittedModel> WindowQuantile::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name_, series, window_);
}

}  // namespace foreflow::predictor
