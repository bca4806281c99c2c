// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/law_training.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "host/forecast/tracked_demand.h"
#include "predictor/optimize/learn_knobs.h"

namespace foreflow::forecast {
namespace {

predictor::Exceedance under_its_model(const predictor::SeriesView& series, const predictor::Models& candidates,
                                      const TrainingPlan& plan) {
  const std::size_t first = series.size() - kLawDays * series.season;
  const predictor::RollingOrigin origins{.horizon = plan.horizon, .stride = plan.horizon};
  const auto choice = predictor::select_forecasting_model({series.first(first), origins}, candidates);
  return predictor::exceedance(series, first, Forecast::kWantLeads, *candidates[choice.model]);
}

}  // namespace

Result<Law> learn_law(std::span<const predictor::Series> fleet, std::shared_ptr<const predictor::Model> present,
                      const TrainingPlan& plan) {
  std::vector<predictor::SeriesView> whole;
  for (const predictor::Series& series : fleet)
    if (series.size() >= (plan.least_days + kLawDays) * series.view().season) whole.push_back(series.view());
  if (whole.size() < plan.least_series)
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} series have {} days of history; {} are needed",
                                                         whole.size(), plan.least_days + kLawDays, plan.least_series));
  predictor::Models candidates = predictor::local_models(whole.front().season);
  if (present) candidates.push_back(std::make_unique<Shared>(std::move(present)));
  predictor::Exceedance seen;
  const std::size_t count = std::min(whole.size(), kLawSeries);
  for (std::size_t i = 0; i < count; ++i) seen.add(under_its_model(whole[i * whole.size() / count], candidates, plan));
  Law law;
  for (std::size_t q = 0; q < predictor::kQuantiles.size(); ++q)
    law.knobs[q] = predictor::knob_for_quantile(seen, predictor::kQuantiles[q]);
  law.about = fmt::format("allocated by the law, learned from {} intervals of {} series", seen.points, count);
  return law;
}

}  // namespace foreflow::forecast
