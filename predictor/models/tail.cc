// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/tail.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/models/empirical.h"
#include "predictor/series/recent.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kPeriods = 28;
constexpr std::size_t kThreshold = 1;  // of kQuantiles: .9

std::vector<double> excesses_over(double threshold, const std::vector<Sample>& samples) {
  std::vector<double> excesses;
  for (const Sample& sample : samples)
    if (sample.value > threshold) excesses.push_back(std::log1p(sample.value) - std::log1p(threshold));
  std::ranges::sort(excesses);
  return excesses;
}

Quantiles with_tail(const std::vector<Sample>& samples) {
  Quantiles quantiles = empirical_quantiles(samples);
  const double threshold = quantiles[kThreshold];
  const std::vector<double> excesses = excesses_over(threshold, samples);
  const auto tail = fit_tail(excesses);
  if (!tail) return quantiles;
  const double share = static_cast<double>(excesses.size()) / static_cast<double>(samples.size());
  const double most = TailModel::kMostToPeak * std::ranges::max(samples, {}, &Sample::value).value;
  for (std::size_t q = kThreshold + 1; q < quantiles.size(); ++q) {
    const double above = tail->exceeded_with(std::min((1 - kQuantiles[q]) / share, 1.));
    quantiles[q] = std::min(std::expm1(std::log1p(threshold) + above), most);
  }
  return quantiles;
}

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const SeriesView& series)
      : name_(std::move(name)), recent_(series, kPeriods * series.season) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    const SeriesView past = recent_.view();
    const Quantiles all = with_tail(newest(past, past.size()));
    return finish(std::vector<Quantiles>(horizon, all), recent_max(past, kTailPeriods * past.season), name_);
  }

  void update(double value, bool limited) override { recent_.push(value, limited); }

 private:
  std::string name_;
  Recent recent_;
};

}  // namespace

double ParetoTail::exceeded_with(double probability) const {
  constexpr double kExponential = 1e-9;
  if (std::abs(shape) < kExponential) return -scale * std::log(probability);
  return scale * std::expm1(-shape * std::log(probability)) / shape;
}

std::optional<ParetoTail> fit_tail(std::span<const double> excesses) {
  if (excesses.size() < kFewestExcesses || excesses.front() == excesses.back()) return std::nullopt;
  constexpr double kMostShape = .5;
  const auto count = static_cast<double>(excesses.size());
  double mean = 0, weighted = 0;  // the second weighted by the probability of a larger one
  for (std::size_t i = 0; i < excesses.size(); ++i) {
    mean += excesses[i] / count;
    weighted += excesses[i] * (count - 1 - static_cast<double>(i)) / (count - 1) / count;
  }
  const double shape = std::clamp(2 - mean / (mean - 2 * weighted), -kMostShape, kMostShape);
  return ParetoTail{.shape = shape, .scale = mean * (1 - shape)};  // so that the mean is kept whatever the shape
}

std::unique_ptr<FittedModel> TailModel::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name(), series);
}

}  // namespace foreflow::predictor
