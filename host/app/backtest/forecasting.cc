// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/forecasting.h"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "predictor/models/burst_timer.h"
#include "predictor/models/forecasters.h"
#include "predictor/models/global/boosted.h"
#include "predictor/models/global/lstm.h"
#include "predictor/models/tail.h"
#include "predictor/select/blend.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::string_view kBoosted = "boosted";
constexpr std::string_view kLstm = "lstm";

// What "auto" selects from where nothing has learned from many series.
predictor::Models local_candidates(const std::string& kind, std::size_t season) {
  predictor::Models models = predictor::local_models(season);
  if (kind != "vm") models.push_back(predictor::seasonal_ensemble());
  return models;
}

Result<std::shared_ptr<const predictor::Model>> by_name(const std::string& name, std::size_t season) {
  predictor::Models models = predictor::local_models(season);
  models.push_back(std::make_unique<predictor::BurstTimerModel>());
  models.push_back(std::make_unique<predictor::TailModel>());
  for (const std::string_view classical : predictor::classical_names())
    models.push_back(predictor::make_classical(classical));
  std::string known = fmt::format("{}, {}, {}", kAuto, kBoosted, kLstm);
  for (auto& model : models) {
    if (model->name() == name) return std::shared_ptr<const predictor::Model>(std::move(model));
    known += ", " + model->name();
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("no model '{}'; there are {}", name, known));
}

// For "auto": the boosted trees.
std::unique_ptr<predictor::Trainer> trainer_of(const Forecasting::Plan& plan) {
  const std::vector<predictor::LeadBand> next{{0, 0}};
  if (plan.model == kLstm) {
    predictor::LstmPlan lstm;
    if (plan.one_step) lstm.bands = next;
    return std::make_unique<predictor::LstmTrainer>(std::move(lstm));
  }
  predictor::BoostedPlan boosted;
  if (plan.one_step) boosted.bands = next;
  return std::make_unique<predictor::BoostedTrainer>(std::move(boosted));
}

}  // namespace

bool learns_from_many(const Forecasting::Plan& plan) {
  return plan.model == kBoosted || plan.model == kLstm || (plan.model == kAuto && plan.kind == "vm");
}

Result<Forecasting> Forecasting::prepare(const Plan& plan, std::span<const Recording> fleet) {
  if (fleet.empty()) return fail(ErrorCode::kNotFound, "no series to learn from or to forecast");
  const std::size_t season = fleet.front().series.view().season;
  Forecasting made;
  if (learns_from_many(plan)) {
    const auto trainer = trainer_of(plan);
    const auto trained =
        plan.on_others ? train_on_others(*trainer, fleet, plan.rows) : train_on_all(*trainer, fleet, plan.rows);
    if (!trained) return tl::unexpected(trained.error());
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      made.by_fold_[fold] = trained->of_fold(fold);
      if (plan.model == kAuto) made.by_fold_[fold] = predictor::demand_blend(trained->of_fold(fold), season);
    }
    return made;
  }
  if (plan.model == kAuto) {
    made.candidates_ = local_candidates(plan.kind, season);
    return made;
  }
  const auto model = by_name(plan.model, season);
  if (!model) return tl::unexpected(model.error());
  made.by_fold_.fill(*model);
  return made;
}

std::unique_ptr<predictor::FittedModel> Forecasting::fit(std::string_view series, const predictor::SeriesView& past,
                                                         std::size_t horizon) const {
  if (candidates_.empty()) return by_fold_[fold_of(series)]->fit(past);
  // Selects over the last days, from origins a few hours apart.
  const predictor::RollingOrigin plan{.horizon = horizon, .origins = 14, .stride = past.season / 2};
  return candidates_[predictor::select_forecasting_model({past, plan}, candidates_).model]->fit(past);
}

}  // namespace foreflow::backtest
