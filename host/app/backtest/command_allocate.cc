// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/forecasting.h"
#include "host/app/backtest/parallel.h"
#include "host/app/backtest/replay.h"
#include "predictor/optimize/allocation_law.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kUsage =
    "usage: foreflow-backtest allocate --data DIR --train DIR --metric NAME -o FILE [OPTIONS]\n\n"
    "What each series would have been allocated before each step, as series,step,alloc,knob,default: a row where it\n"
    "changes by more than 5 %, for each value of the knob; default is 1 at the knob that promises 1 % unserved on the\n"
    "training rows. Where --data and --train are one folder, no series is served by a model that has learned from it.";

constexpr double kPromised = .01;  // unserved share at the default knob

struct Settings : CommonSettings {
  std::string model;
  Law law = Law::kRaw;
  std::size_t train_steps = 0;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  add_common(options, made, "files of the series, one each");
  add_train(options, made);
  auto add = options.add_options();
  std::string law;
  add("law", po::value(&law)->default_value("raw"), "raw, or production: with the manager's hysteresis");
  add("model", po::value(&made.model)->default_value("boosted"), "whose quantiles the law weighs, by name");
  add("train-steps", po::value(&made.train_steps)->default_value(28 * kDay), "rows before the first allocation");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (law != "raw" && law != "production")
    return fail(ErrorCode::kInvalidArgument, fmt::format("--law '{}'; raw and production are possible", law));
  made.law = law == "raw" ? Law::kRaw : Law::kProduction;
  if (made.train.empty()) made.train = made.data;
  return made;
}

// Learned from the training rows: from those of the other fold only, or from all.
Result<Forecasting> learned(std::span<const Recording> fleet, const Settings& asked, bool on_others) {
  return Forecasting::prepare(
      {.kind = "vm", .model = asked.model, .rows = asked.train_steps, .on_others = on_others, .one_step = true}, fleet);
}

Replayed replayed(const Recording& recording, const Forecasting& forecasting, const Settings& asked, const Span& span,
                  std::size_t chosen, bool write) {
  const predictor::SeriesView series = recording.series.view();
  const auto fitted = forecasting.fit(recording.name, series.first(std::min(span.first, series.size())), 1);
  return replay(recording, *fitted, asked.law, span, chosen, write);
}

// The knob that would have kept the promise in the second half of the training rows, for series that its model had not
// seen. The series of most demand does not vote: it alone would decide for all, and luck in two weeks decides for it.
std::size_t default_knob(std::span<const Recording> fleet, const Forecasting& others, const Settings& asked) {
  std::vector<Cost> costs(fleet.size());
  for_each_parallel(fleet.size(), asked.threads, "default knob", [&](std::size_t i) {
    const Span tail{.first = asked.train_steps / 2, .end = asked.train_steps};
    costs[i] = replayed(fleet[i], others, asked, tail, 0, false).cost;
  });
  const auto largest = std::ranges::max_element(costs, {}, &Cost::demand);
  Cost total;
  for (auto cost = costs.begin(); cost != costs.end(); ++cost)
    if (cost != largest || costs.size() == 1) total.add(*cost);
  for (double& unserved : total.unserved) unserved /= std::max(total.demand, 1e-9);
  return predictor::knob_for(total.unserved, kPromised);
}

void print_costs(const std::vector<Replayed>& all, std::size_t chosen) {
  Cost total;
  for (const Replayed& one : all) total.add(one.cost);
  fmt::print("knob  unserved  over-provision   per series: unserved  over-provision\n");
  for (std::size_t k = 0; k < kKnobs; ++k) {
    double unserved = 0;
    double logarithm = 0;
    double count = 0;
    for (const Replayed& one : all) {
      if (one.cost.demand <= 0) continue;
      ++count;
      unserved += one.cost.unserved[k] / one.cost.demand;
      logarithm += std::log(std::max(one.cost.allocated[k] / one.cost.demand, 1.0));
    }
    if (count == 0 || total.demand <= 0) return;
    fmt::print("{:>4}  {:>7.3f} %  {:>14.2f}   {:>18.3f} %  {:>14.2f}{}\n", k, 100 * total.unserved[k] / total.demand,
               total.allocated[k] / total.demand, 100 * unserved / count, std::exp(logarithm / count),
               k == chosen ? "   default" : "");
  }
}

}  // namespace

Status run_allocate(const std::vector<std::string>& arguments) {
  const auto settled = settings(arguments);
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  const Settings& asked = **settled;
  const auto recordings = read_folder(asked.data, asked.metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  const bool same = asked.trains_on_data();
  const auto fleet = same ? recordings : read_folder(asked.train, asked.metric, {});
  if (!fleet) return tl::unexpected(fleet.error());
  auto output = TextWriter::open(asked.output);
  if (!output) return tl::unexpected(output.error());

  const auto others = learned(*fleet, asked, true);
  if (!others) return tl::unexpected(others.error());
  std::optional<Forecasting> on_all;
  if (!same) {
    auto made = learned(*fleet, asked, false);
    if (!made) return tl::unexpected(made.error());
    on_all = std::move(*made);
  }
  const Forecasting& models = on_all ? *on_all : *others;
  const std::size_t chosen = default_knob(*fleet, *others, asked);

  output->write("series,step,alloc,knob,default\n");
  std::vector<Replayed> all(recordings->size());
  for_each_parallel(all.size(), asked.threads, "allocations", [&](std::size_t i) {
    const Recording& recording = (*recordings)[i];
    const Span rest{.first = asked.train_steps, .end = recording.series.size()};
    all[i] = replayed(recording, models, asked, rest, chosen, true);
  });
  for (const Replayed& one : all) output->write(one.rows);
  print_costs(all, chosen);
  return output->finish();
}

}  // namespace foreflow::backtest
