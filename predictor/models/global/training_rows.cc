// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/training_rows.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "predictor/features/demand_state.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kWarmUpShare = 5, kWarmUpPeriods = 5;

std::size_t warm_up(const SeriesView& series) {
  return std::min(series.size() / kWarmUpShare, kWarmUpPeriods * series.season);
}

bool is_target(const SeriesView& series, std::size_t i) { return !series.is_gap(i) && !series.is_limited(i); }

}  // namespace

void fill_history(const DemandState& state, std::size_t season, std::size_t points, std::span<float> out) {
  for (std::size_t i = 0; i < points; ++i) {
    out[2 * i] = state.relative(points - i);
    out[2 * i + 1] = state.relative(points - i + season);
  }
}

TrainingRows draw_rows(std::span<const SeriesView> fleet, const Drawing& drawing) {
  std::size_t possible = 0;
  for (const SeriesView& series : fleet) possible += series.size() - warm_up(series);
  const double share =
      possible == 0 ? 0 : std::min(1.0, static_cast<double>(drawing.rows) / static_cast<double>(possible));
  std::mt19937_64 random(drawing.seed);
  std::bernoulli_distribution taken(share);
  std::uniform_int_distribution<std::size_t> lead(drawing.first_lead, drawing.last_lead);
  const std::size_t features = 2 * drawing.history + kDemandFeatures;
  TrainingRows rows{.features = features, .values = {}, .targets = {}};
  for (const SeriesView& series : fleet) {
    DemandState state(series.season, series.phase);
    const std::size_t first = warm_up(series);
    for (std::size_t now = 0; now < series.size(); ++now) {
      const std::size_t ahead = lead(random);
      if (now >= first && taken(random) && now + ahead < series.size() && is_target(series, now + ahead)) {
        rows.values.resize(rows.values.size() + features);
        const std::span<float> whole(&rows.values[rows.values.size() - features], features);
        fill_history(state, series.season, drawing.history, whole);
        const std::span<float> row = whole.last(kDemandFeatures);
        state.fill_now(row);
        state.fill_target(ahead, row);
        rows.targets.push_back(static_cast<float>(std::log1p(series.values[now + ahead])) - state.level());
      }
      state.push(series.values[now]);
    }
  }
  return rows;
}

}  // namespace foreflow::predictor
