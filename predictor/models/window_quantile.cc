// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/window_quantile.h"

#include <utility>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/models/empirical.h"

namespace foreflow::predictor {
namespace {

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const Quantiles& quantiles, double tail)
      : name_(std::move(name)), quantiles_(quantiles), tail_(tail) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    return finish(std::vector<Quantiles>(horizon, quantiles_), tail_, name_);
  }

 private:
  std::string name_;
  Quantiles quantiles_;
  double tail_;
};

}  // namespace

std::unique_ptr<FittedModel> WindowQuantile::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name_, empirical_quantiles(newest(series, window_)),
                                  recent_max(series, kTailPeriods * series.season));
}

}  // namespace foreflow::predictor
