// SPDX-License-Identifier: Apache-2.0
#include "predictor/select/select_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string_view>

#include "predictor/features/behaviour.h"
#include "predictor/models/seasonal.h"
#include "predictor/models/window_quantile.h"

namespace foreflow::predictor {
namespace {

using Candidates = std::span<const std::unique_ptr<Model>>;

bool looks_at_the_time(const std::unique_ptr<Model>& model) {
  return dynamic_cast<const WindowQuantile*>(model.get()) == nullptr;
}

double feature(const BehaviourVector& vector, std::string_view name) {
  const auto* const found = std::ranges::find(kBehaviourNames, name);
  return vector[static_cast<std::size_t>(found - kBehaviourNames.begin())];
}

// 0 where the series is too short to tell, or the same all the time.
double day_strength(const SeriesView& series) {
  constexpr double kRounding = 1e-6;
  const auto vector = behaviour_v1(series);
  if (!vector || feature(*vector, "log_deviation") < kRounding) return 0;
  return feature(*vector, "day_strength");
}

std::string explain(Candidates models, const Choice& choice, std::size_t origins, double strength) {
  std::ostringstream reason;
  reason << std::setprecision(3) << models[choice.model]->name() << ": mean pinball loss "
         << choice.losses[choice.model] << " over " << origins << (origins == 1 ? " origin" : " origins");
  const char* separator = "; ";
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (i == choice.model || std::isinf(choice.losses[i])) continue;
    reason << separator << models[i]->name() << ' ' << choice.losses[i];
    separator = ", ";
  }
  if (std::ranges::any_of(choice.losses, [](double loss) { return std::isinf(loss); }))
    reason << "; windows left out, the time of day explains " << strength << " of the variance";
  return reason.str();
}

Score score_of(const Model& model, const Trends& trends) {
  return rolling_origin(trends.series, trends.plan, [&model](const SeriesView& past, std::size_t horizon) {
    return model.fit(past)->forecast(horizon);
  });
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

Choice select_forecasting_model(const Trends& trends, Candidates models) {
  assert(!models.empty());
  const std::size_t fewest = trends.plan.warm_up + trends.plan.horizon;
  Choice choice;
  if (trends.series.size() < fewest) {
    choice.reason = models[0]->name() + ": too little history to compare models (" +
                    std::to_string(trends.series.size()) + " points, " + std::to_string(fewest) + " are needed)";
    return choice;
  }
  const double strength = std::ranges::any_of(models, looks_at_the_time) ? day_strength(trends.series) : 0;
  std::size_t origins = 0;
  for (const std::unique_ptr<Model>& model : models) {
    if (strength >= kClearDay && !looks_at_the_time(model)) {
      choice.losses.push_back(std::numeric_limits<double>::infinity());
      continue;
    }
    const Score score = score_of(*model, trends);
    if (score.points == 0) {
      choice.losses.clear();
      choice.reason = models[0]->name() + ": all points to compare models by are gaps";
      return choice;
    }
    origins = score.origins;
    choice.losses.push_back(score.mean_loss);
  }
  choice.model = static_cast<std::size_t>(std::ranges::min_element(choice.losses) - choice.losses.begin());
  choice.reason = explain(models, choice, origins, strength);
  return choice;
}

}  // namespace foreflow::predictor
