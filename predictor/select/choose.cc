// SPDX-License-Identifier: Apache-2.0
#include "predictor/select/choose.h"

#include <algorithm>
#include <cassert>
#include <iomanip>
#include <sstream>

#include "predictor/models/seasonal.h"
#include "predictor/models/window_quantile.h"

namespace foreflow::predictor {
namespace {

std::string explain(std::span<const std::unique_ptr<Model>> models, const Choice& choice, std::size_t origins) {
  std::ostringstream reason;
  reason << std::setprecision(3) << models[choice.model]->name() << ": mean pinball loss "
         << choice.losses[choice.model] << " over " << origins << (origins == 1 ? " origin" : " origins");
  const char* separator = "; ";
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (i == choice.model) continue;
    reason << separator << models[i]->name() << ' ' << choice.losses[i];
    separator = ", ";
  }
  return reason.str();
}

}  // namespace

Models local_models(std::size_t season) {
  const std::size_t hour = std::max<std::size_t>(season / 24, 4);
  const SameSlot quarter_hour{.periods = 7, .neighbours = std::max<std::size_t>(season / 96, 1)};
  Models models;
  models.push_back(std::make_unique<WindowQuantile>("last_hour", hour));
  models.push_back(std::make_unique<WindowQuantile>("last_3_hours", 3 * hour));
  models.push_back(std::make_unique<WindowQuantile>("last_day", 24 * hour));
  models.push_back(std::make_unique<WindowQuantile>("climatology", WindowQuantile::kAll));
  models.push_back(std::make_unique<Seasonal>(quarter_hour));
  return models;
}

Choice choose(const SeriesView& series, std::span<const std::unique_ptr<Model>> models, const RollingOrigin& plan) {
  assert(!models.empty());
  Choice choice;
  std::size_t origins = 0;
  for (const std::unique_ptr<Model>& model : models) {
    const Score score = rolling_origin(series, plan, [&model](const SeriesView& past, std::size_t horizon) {
      return model->fit(past)->forecast(horizon);
    });
    if (score.points == 0) {
      choice.losses.clear();
      choice.reason = models[0]->name() + ": too little history to compare models (" + std::to_string(series.size()) +
                      " points, " + std::to_string(plan.warm_up + plan.horizon) + " are needed)";
      return choice;
    }
    origins = score.origins;
    choice.losses.push_back(score.mean_loss);
  }
  choice.model = static_cast<std::size_t>(std::ranges::min_element(choice.losses) - choice.losses.begin());
  choice.reason = explain(models, choice, origins);
  return choice;
}

}  // namespace foreflow::predictor
