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
#include "host/app/backtest/forecasting.h"
#include "host/app/backtest/one_step.h"
#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kUsage =
    "usage: foreflow-backtest forecast --data DIR --kind vm|link|m4h -o FILE [OPTIONS]\n\n"
    "Quantile forecasts from fixed origins, as series,origin,step,q50,q90,q95,q99. DIR holds vm/, net/links/ or\n"
    "m4hourly/. Each forecast is made from the rows before its origin. Models that learn from many series see the "
    "rows\n"
    "of --train before the earliest origin; where that is --data, no series is forecast by a model that has learned\n"
    "from it.";

struct Settings : CommonSettings {
  std::string kind;
  std::string model;
  std::string kinds;
  bool coverage = false;
  bool uncorrected = false;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  add_common(options, made, "recorded series");
  add_train(options, made);
  auto add = options.add_options();
  add("kind", po::value(&made.kind)->default_value("vm"), "vm, link or m4h");
  add("model", po::value(&made.model)->default_value("auto"), "a model by name; auto combines or selects");
  add("kinds", po::value(&made.kinds)->default_value("active"),
      "VMs of the manifest: active, or all (sparse ones too)");
  add("coverage", po::bool_switch(&made.coverage), "each row of the VMs from the ones before it: series,step,q95,q99");
  add("uncorrected", po::bool_switch(&made.uncorrected), "with --coverage: as the model says, without correction");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (made.kinds != "active" && made.kinds != "all")
    return fail(ErrorCode::kInvalidArgument, fmt::format("--kinds '{}'; active and all are possible", made.kinds));
  if (made.coverage && made.kind != "vm")
    return fail(ErrorCode::kInvalidArgument, fmt::format("--coverage with --kind {}; it is made for vm", made.kind));
  return made;
}

using Kinds = std::vector<std::string>;  // none: all of them

Result<std::vector<Recording>> read(const Settings& asked, const std::filesystem::path& folder) {
  if (asked.kind == "vm")
    return read_folder(folder / "vm", asked.metric, asked.kinds == "all" ? Kinds{} : Kinds{asked.kinds});
  if (asked.kind == "link") return read_folder(folder / "net" / "links", "value", {});
  if (asked.kind == "m4h") return read_rows(folder / "m4hourly" / "train.csv.gz");
  return fail(ErrorCode::kInvalidArgument, fmt::format("--kind '{}'; vm, link and m4h are possible", asked.kind));
}

std::vector<Case> cases_of(const std::string& kind, std::span<const Recording> recordings) {
  return kind == "vm" ? vm_cases(recordings) : kind == "link" ? link_cases(recordings) : hourly_cases(recordings);
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

Result<Forecasting> prepare(const Settings& asked, std::span<const Recording> recordings, std::size_t rows) {
  const Forecasting::Plan plan{.kind = asked.kind,
                               .model = asked.model,
                               .rows = rows,
                               .on_others = asked.trains_on_data(),
                               .one_step = asked.coverage};
  if (plan.on_others || !learns_from_many(plan)) return Forecasting::prepare(plan, recordings);
  const auto fleet = read(asked, asked.train);
  if (!fleet) return tl::unexpected(fleet.error());
  return Forecasting::prepare(plan, *fleet);
}

Status write_cases(const Settings& asked, std::span<const Recording> recordings, TextWriter& output) {
  const std::vector<Case> cases = cases_of(asked.kind, recordings);
  if (cases.empty()) return fail(ErrorCode::kInvalidArgument, "no series is long enough to be forecast");
  const auto forecasting = prepare(asked, recordings, earliest(cases));
  if (!forecasting) return tl::unexpected(forecasting.error());
  std::vector<std::string> parts(cases.size());
  for_each_parallel(parts.size(), asked.threads, "forecasts", [&](std::size_t i) {
    const Case& from = cases[i];
    const Recording& recording = recordings[from.series];
    const predictor::SeriesView past = recording.series.view().first(from.known);
    parts[i] =
        rows(recording.name, from.origin, forecasting->fit(recording.name, past, from.horizon)->forecast(from.horizon));
  });
  output.write("series,origin,step,q50,q90,q95,q99\n");
  for (const std::string& part : parts) output.write(part);
  return {};
}

Status write_one_step(const Settings& asked, std::span<const Recording> recordings, TextWriter& output) {
  const auto forecasting = prepare(asked, recordings, kKnownRows);
  if (!forecasting) return tl::unexpected(forecasting.error());
  std::vector<std::string> parts(recordings.size());
  for_each_parallel(parts.size(), asked.threads, "series", [&](std::size_t i) {
    parts[i] = one_step_rows(recordings[i], *forecasting, {.correct = !asked.uncorrected});
  });
  output.write("series,step,q95,q99\n");
  for (const std::string& part : parts) output.write(part);
  return {};
}

}  // namespace

Status run_forecast(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto recordings = read(**asked, (*asked)->data);
  if (!recordings) return tl::unexpected(recordings.error());
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  const Status written =
      (*asked)->coverage ? write_one_step(**asked, *recordings, *output) : write_cases(**asked, *recordings, *output);
  if (!written) return written;
  return output->finish();
}

}  // namespace foreflow::backtest
