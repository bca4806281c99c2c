// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/global_training.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "predictor/evaluate/rolling_origin.h"

namespace foreflow::forecast {
namespace {

using predictor::SeriesView;

double mean(const SeriesView& series) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series.is_gap(i)) {
      sum += series.values[i];
      ++count;
    }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

// On the points behind `seen`, which the models have not learned from; relative to the mean of the series.
std::optional<double> loss_of(const predictor::Model& model, const SeriesView& series, std::size_t seen,
                              const TrainingPlan& plan) {
  const double level = mean(series);
  if (level <= 0) return std::nullopt;
  const predictor::RollingOrigin origins{.horizon = plan.horizon,
                                         .origins = std::max<std::size_t>((series.size() - seen) / plan.horizon, 1),
                                         .stride = plan.horizon,
                                         .warm_up = seen};
  const auto score = predictor::rolling_origin(
      series, origins, [&](const SeriesView& past, std::size_t horizon) { return model.fit(past)->forecast(horizon); });
  if (score.points == 0) return std::nullopt;
  return score.mean_loss / level;
}

// What forecasts this series today, chosen from the points that are seen.
const predictor::Model& in_force(const predictor::GlobalModel* present, const predictor::Models& local,
                                 const SeriesView& seen, const TrainingPlan& plan) {
  if (present) return *present;
  return *local[predictor::select_forecasting_model({seen, {.horizon = plan.horizon, .stride = plan.horizon}}, local)
                    .model];
}

}  // namespace

Result<Trained> train(std::span<const predictor::Series> fleet, const predictor::Trainer& trainer,
                      const predictor::GlobalModel* present, const TrainingPlan& plan) {
  std::vector<SeriesView> whole;
  std::vector<SeriesView> seen;
  for (const predictor::Series& series : fleet) {
    const SeriesView view = series.view();
    if (view.size() < (plan.least_days + plan.held_out) * view.season) continue;
    whole.push_back(view);
    seen.push_back(view.first(view.size() - plan.held_out * view.season));
  }
  if (whole.size() < plan.least_series)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} series have {} days of history; {} are needed", whole.size(),
                            plan.least_days + plan.held_out, plan.least_series));
  auto model = trainer.train(seen);
  if (!model) return tl::unexpected(model.error());
  Trained trained{.model = std::move(*model), .series = seen.size()};
  const predictor::Models local = predictor::local_models(whole.front().season);
  std::size_t judged = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto ours = loss_of(*trained.model, whole[i], seen[i].size(), plan);
    const auto theirs = loss_of(in_force(present, local, seen[i], plan), whole[i], seen[i].size(), plan);
    if (!ours || !theirs) continue;
    trained.loss += *ours;
    trained.before += *theirs;
    ++judged;
  }
  if (judged == 0) return fail(ErrorCode::kInvalidArgument, "nothing of the days held out can be judged");
  trained.loss /= static_cast<double>(judged);
  trained.before /= static_cast<double>(judged);
  trained.better = trained.loss < trained.before * (1 - plan.least_gain);
  return trained;
}

}  // namespace foreflow::forecast
