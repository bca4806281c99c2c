// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/cases.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"
#include "predictor/models/forecasters.h"
#include "predictor/select/choose.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest forecast --data DIR --kind vm|link|m4h -o FILE [OPTIONS]\n\n"
    "Quantile forecasts from fixed origins, as series,origin,step,q50,q90,q95,q99. DIR holds vm/, net/links/ or\n"
    "m4hourly/. Each forecast is made from the rows before its origin.";

struct Settings {
  fs::path data;
  std::string kind;
  std::string model;
  std::string metric;
  fs::path output;
  std::size_t threads = 0;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  auto add = options.add_options();
  std::string data;
  std::string output;
  add("data", po::value(&data)->required()->value_name("DIR"), "recorded series");
  add("kind", po::value(&made.kind)->default_value("vm"), "vm, link or m4h");
  add("model", po::value(&made.model)->default_value("auto"), "a model by name; auto selects one for each series");
  add("metric", po::value(&made.metric)->default_value("net_tx_Bps"), "column of the VMs' files");
  add("output,o", po::value(&output)->required()->value_name("FILE"), "CSV; compressed if it ends in .gz");
  add("threads", po::value(&made.threads)->default_value(0), "0 = one per CPU");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  made.data = data;
  made.output = output;
  return made;
}

struct Task {
  std::vector<Recording> recordings;
  std::vector<Case> cases;
};

Result<Task> load(const Settings& asked) {
  auto prepare = [](Result<std::vector<Recording>> recordings, auto origins) -> Result<Task> {
    if (!recordings) return tl::unexpected(recordings.error());
    Task task{std::move(*recordings), {}};
    task.cases = origins(task.recordings);
    if (task.cases.empty()) return fail(ErrorCode::kInvalidArgument, "no series is long enough to be forecast");
    return task;
  };
  if (asked.kind == "vm") return prepare(read_folder(asked.data / "vm", asked.metric, {"active"}), vm_cases);
  if (asked.kind == "link") return prepare(read_folder(asked.data / "net" / "links", "value", {}), link_cases);
  if (asked.kind == "m4h") return prepare(read_rows(asked.data / "m4hourly" / "train.csv.gz"), hourly_cases);
  return fail(ErrorCode::kInvalidArgument, fmt::format("--kind '{}'; vm, link and m4h are possible", asked.kind));
}

// Selects over the last days, from origins a few hours apart.
predictor::QuantileForecast forecast(const predictor::SeriesView& past, const predictor::Models& models,
                                     std::size_t horizon) {
  const predictor::RollingOrigin plan{.horizon = horizon, .origins = 14, .stride = past.season / 2};
  const std::size_t chosen = models.size() == 1 ? 0 : predictor::choose(past, models, plan).model;
  return models[chosen]->fit(past)->forecast(horizon);
}

Result<predictor::Models> candidates(const std::string& kind, const std::string& name, std::size_t season) {
  predictor::Models models = predictor::local_models(season);
  if (kind != "vm" && name == "auto") models.push_back(predictor::seasonal_ensemble());
  if (name == "auto") return models;
  for (const std::string_view classical : predictor::classical_names())
    models.push_back(predictor::make_classical(classical));
  std::string known;
  for (const auto& model : models) known += (known.empty() ? "" : ", ") + model->name();
  std::erase_if(models, [&](const auto& model) { return model->name() != name; });
  if (models.size() > 1) models.resize(1);
  if (models.empty())
    return fail(ErrorCode::kInvalidArgument, fmt::format("no model '{}'; there are auto, {}", name, known));
  return models;
}

std::string rows(const std::string& series, std::size_t origin, const predictor::QuantileForecast& forecast) {
  constexpr int kWritten = 4;
  std::string text;
  for (Eigen::Index step = 0; step < forecast.values.rows(); ++step) {
    fmt::format_to(std::back_inserter(text), "{},{},{}", series, origin, step + 1);
    for (Eigen::Index q = 0; q < kWritten; ++q)
      fmt::format_to(std::back_inserter(text), ",{:.6g}", forecast.values(step, q));
    text += '\n';
  }
  return text;
}

}  // namespace

Status run_forecast(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto task = load(**asked);
  if (!task) return tl::unexpected(task.error());
  const auto models = candidates((*asked)->kind, (*asked)->model, task->recordings[0].series.view().season);
  if (!models) return tl::unexpected(models.error());
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  std::vector<std::string> parts(task->cases.size());
  for_each_parallel(parts.size(), (*asked)->threads, "forecasts", [&](std::size_t i) {
    const Case& from = task->cases[i];
    const Recording& recording = task->recordings[from.series];
    parts[i] =
        rows(recording.name, from.origin, forecast(recording.series.view().first(from.known), *models, from.horizon));
  });
  output->write("series,origin,step,q50,q90,q95,q99\n");
  for (const std::string& part : parts) output->write(part);
  return output->finish();
}

}  // namespace foreflow::backtest
