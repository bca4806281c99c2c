// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/one_step.h"

#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "predictor/models/conformal.h"

namespace foreflow::backtest {
namespace {

predictor::Quantiles next_row(const predictor::FittedModel& model) {
  const predictor::QuantileForecast told = model.forecast(1);
  predictor::Quantiles row{};
  for (std::size_t q = 0; q < row.size(); ++q) row[q] = told.values(0, static_cast<Eigen::Index>(q));
  return row;
}

}  // namespace

std::string one_step_rows(const Recording& recording, const Forecasting& forecasting, const OneStepPlan& plan) {
  constexpr std::size_t k95 = 2, k99 = 3;
  const predictor::SeriesView series = recording.series.view();
  std::unique_ptr<predictor::FittedModel> model;
  predictor::OnlineConformal correction;
  std::string text;
  for (std::size_t step = kKnownRows; step < series.size(); ++step) {
    if ((step - kKnownRows) % plan.refit == 0) model = forecasting.fit(recording.name, series.first(step), 1);
    const predictor::Quantiles row = next_row(*model);
    const bool observed = recording.observed[step] != 0;
    if (observed) {
      const predictor::Quantiles told = plan.correct ? correction.correct(row) : row;
      fmt::format_to(std::back_inserter(text), "{},{},{:.6g},{:.6g}\n", recording.name, step, told[k95], told[k99]);
    }
    model->update(series.values[step], series.is_limited(step));
    if (observed) correction.learn(row, series.values[step], series.is_limited(step));
  }
  return text;
}

}  // namespace foreflow::backtest
