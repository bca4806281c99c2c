// SPDX-License-Identifier: Apache-2.0
// What limits follow in the manager, on recorded VMs: the allocation law with knobs learned from the fleet's first two
// weeks, beside the quantiles of the forecasts that it weighs, over the week after. `bench_law --data DIR [--metric
// NAME]`.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "host/app/backtest/dataset.h"
#include "host/forecast/law_training.h"
#include "predictor/features/usual_peaks.h"
#include "predictor/models/tracked.h"
#include "predictor/optimize/evidence.h"
#include "predictor/select/select_model.h"
#include "tests/bench/figures.h"

namespace foreflow {
namespace {

using predictor::kQuantiles;

constexpr std::size_t kLearned = 14 * backtest::kDay;
constexpr std::size_t kJudged = 7 * backtest::kDay;
constexpr std::size_t kRefit = 12;  // points, as the forecast service does
constexpr double kPromise = 1.5;    // times what is promised; at about twice the planner stops believing

// One way to allocate, at each of kQuantiles.
struct Outcome {
  std::array<double, kQuantiles.size()> allocated{}, unserved{};
  std::array<std::size_t, kQuantiles.size()> above{};
  void count(std::size_t q, double allocation, double demand) {
    allocated[q] += allocation;
    unserved[q] += std::max(demand - allocation, 0.0);
    above[q] += demand > allocation ? 1 : 0;
  }
};

struct Week {
  double demand = 0;
  std::size_t points = 0;
  Outcome by_quantile, by_law;
};

void judge(const predictor::SeriesView& series, const predictor::Models& models, const forecast::Law& law, Week& week) {
  constexpr std::size_t kLeads = forecast::Forecast::kWantLeads;
  const auto past = series.first(kLearned);
  const auto choice = predictor::select_forecasting_model({past, {.horizon = kRefit, .stride = kRefit}}, models);
  predictor::Tracked tracked(kLeads);
  predictor::UsualPeaks peaks(series.season);
  for (const double value : past.values) peaks.push(value);
  for (std::size_t i = kLearned; i < kLearned + kJudged; ++i) {
    if ((i - kLearned) % kRefit == 0) tracked.fit(*models[choice.model], series.first(i));
    const auto& forecast = tracked.forecast();
    const auto evidence = predictor::gather(forecast, kLeads, peaks);
    const double demand = series.values[i];
    if (!series.is_gap(i)) {
      week.demand += demand;
      ++week.points;
      for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
        const double quantile = forecast.values.col(static_cast<Eigen::Index>(q)).head(kLeads).maxCoeff();
        week.by_quantile.count(q, quantile, demand);
        week.by_law.count(q, law.knobs[q] ? predictor::allocation(evidence, *law.knobs[q]) : quantile, demand);
      }
    }
    tracked.arrive(demand, false);
    peaks.push(demand);
  }
}

void print(std::string_view name, const Week& week, const Outcome& outcome) {
  for (std::size_t q = 0; q < kQuantiles.size(); ++q)
    fmt::print("{:<9} q{:<5} above {:>6.3f} %  unserved {:>6.3f} %  over-provision {:>6.2f}\n", name,
               100 * kQuantiles[q], 100 * static_cast<double>(outcome.above[q]) / static_cast<double>(week.points),
               100 * outcome.unserved[q] / week.demand, outcome.allocated[q] / week.demand);
}

std::string option(int argc, char** argv, std::string_view name, std::string fallback) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == name) return argv[i + 1];
  return fallback;
}

}  // namespace

int run(int argc, char** argv) {
  const auto folder = option(argc, argv, "--data", "");
  if (folder.empty()) {
    fmt::print(stderr, "usage: scripts/bench law --data DIR [--metric net_tx_Bps]; DIR has a SERIES.csv[.gz] per VM\n");
    return 2;
  }
  const auto recordings = backtest::read_folder(folder, option(argc, argv, "--metric", "net_tx_Bps"), {"active"});
  if (!recordings) {
    fmt::print(stderr, "{}\n", recordings.error().message);
    return 2;
  }
  std::vector<predictor::SeriesView> long_enough;
  std::vector<predictor::Series> past;
  for (const auto& recording : *recordings) {
    if (recording.series.size() < kLearned + kJudged) continue;
    long_enough.push_back(recording.series.view());
    past.emplace_back(recording.series.view().first(kLearned));
  }
  const auto law = forecast::learn_law(past, nullptr, {});
  if (!law) {
    fmt::print(stderr, "{}: {}\n", folder, law.error().message);
    return 2;
  }
  const auto models = predictor::local_models(backtest::kDay);
  Week week;
  for (const auto& series : long_enough) judge(series, models, *law, week);
  print("quantile", week, week.by_quantile);
  print("law", week, week.by_law);

  std::vector<bench::Figure> figures;
  for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
    if (!law->knobs[q]) continue;
    const auto share = static_cast<double>(week.by_law.above[q]) / static_cast<double>(week.points);
    figures.push_back({fmt::format("intervals above what q{} got by the law", 100 * kQuantiles[q]), 100 * share, "%",
                       "promised", 100 * (1 - kQuantiles[q]), kPromise});
  }
  constexpr std::size_t k99 = 3;
  figures.push_back({"bytes unserved at q99", 100 * week.by_law.unserved[k99] / week.demand, "%", "quantile",
                     100 * week.by_quantile.unserved[k99] / week.demand, 1});
  figures.push_back({"over-provision at q99", week.by_law.allocated[k99] / week.demand, "x", "quantile",
                     week.by_quantile.allocated[k99] / week.demand, 1});
  return bench::report(argc, argv, figures);
}

}  // namespace foreflow

int main(int argc, char** argv) { return foreflow::run(argc, argv); }
