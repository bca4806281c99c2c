// SPDX-License-Identifier: Apache-2.0
#include "predictor/evaluate/rolling_origin.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include "predictor/evaluate/pinball.h"

namespace foreflow::predictor {
namespace {

class Tally {
 public:
  void add(double actual, bool limited, const QuantileForecast& forecast, std::size_t row) {
    ++score_.points;
    for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
      const double value = forecast.values(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(q));
      const bool violated = actual > value;
      score_.loss[q] += limited ? pinball_limited(kQuantiles[q], actual, value) : pinball(kQuantiles[q], actual, value);
      if (limited && !violated) continue;
      ++known_[q];
      if (!violated) score_.coverage[q] += 1;
    }
  }

  void end_origin() { ++score_.origins; }

  Score score() const {
    Score score = score_;
    for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
      if (score.points > 0) score.loss[q] /= static_cast<double>(score.points);
      if (known_[q] > 0) score.coverage[q] /= static_cast<double>(known_[q]);
      score.mean_loss += score.loss[q] / static_cast<double>(kQuantiles.size());
    }
    return score;
  }

 private:
  Score score_;
  std::array<std::size_t, kQuantiles.size()> known_{};
};

// The newest origin first.
std::vector<std::size_t> origins_of(const SeriesView& series, const RollingOrigin& plan) {
  std::vector<std::size_t> origins;
  const std::size_t stride = std::max<std::size_t>(plan.stride, 1);
  for (std::size_t k = 0; k < plan.origins && series.size() >= plan.horizon + k * stride + plan.warm_up; ++k)
    origins.push_back(series.size() - plan.horizon - k * stride);
  return origins;
}

}  // namespace

Score rolling_origin(const SeriesView& series, const RollingOrigin& plan, const Forecaster& forecaster) {
  Tally tally;
  for (const std::size_t origin : origins_of(series, plan)) {
    const QuantileForecast forecast = forecaster(series.first(origin), plan.horizon);
    assert(forecast.horizon() == plan.horizon);
    for (std::size_t row = 0; row < plan.horizon; ++row)
      if (!series.is_gap(origin + row))
        tally.add(series.values[origin + row], series.is_limited(origin + row), forecast, row);
    tally.end_origin();
  }
  return tally.score();
}

std::vector<Score> rolling_update(const SeriesView& series, const RollingOrigin& plan, const Model& model,
                                  std::span<const std::size_t> ends) {
  assert(!ends.empty() && ends.back() == plan.horizon);
  std::vector<Tally> tallies(ends.size());
  std::unique_ptr<FittedModel> fitted;
  std::size_t known = 0;
  std::vector<std::size_t> origins = origins_of(series, plan);
  std::ranges::reverse(origins);
  for (const std::size_t origin : origins) {
    if (!fitted) fitted = model.fit(series.first(known = origin));
    for (; known < origin; ++known) fitted->update(series.values[known], series.is_limited(known));
    const QuantileForecast forecast = fitted->forecast(plan.horizon);
    for (std::size_t row = 0, band = 0; row < plan.horizon; ++row) {
      while (row >= ends[band]) ++band;
      if (!series.is_gap(origin + row))
        tallies[band].add(series.values[origin + row], series.is_limited(origin + row), forecast, row);
    }
    for (Tally& tally : tallies) tally.end_origin();
  }
  std::vector<Score> scores;
  scores.reserve(tallies.size());
  for (const Tally& tally : tallies) scores.push_back(tally.score());
  return scores;
}

}  // namespace foreflow::predictor
