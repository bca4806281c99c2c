// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"
#include "predictor/features/samples.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest allocate --data DIR --metric NAME -o FILE [OPTIONS]\n\n"
    "What each series would have been allocated at each step, as series,step,alloc,knob; a row where it changes.";

struct Settings {
  fs::path data;
  std::string metric;
  fs::path output;
  std::size_t train_steps = 0;
  std::size_t threads = 0;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  auto add = options.add_options();
  std::string data;
  std::string output;
  add("data", po::value(&data)->required()->value_name("DIR"), "files of the series, one each");
  add("metric", po::value(&made.metric)->default_value("net_tx_Bps"), "the demand column");
  add("train-steps", po::value(&made.train_steps)->default_value(28 * kDay), "rows before the first allocation");
  add("output,o", po::value(&output)->required()->value_name("FILE"), "CSV; compressed if it ends in .gz");
  add("threads", po::value(&made.threads)->default_value(0), "0 = one per CPU");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  made.data = data;
  made.output = output;
  return made;
}

constexpr std::array kKnobs{.5, .7, .85, 1., 1.2, 1.5, 2., 3., 5., 8., 15., 30.};

// A weighted mean of the recent, the usual and the highest.
double expected(const predictor::SeriesView& past) {
  double slot = predictor::recent_max(past, 6);
  for (const predictor::Sample& sample : predictor::same_slot(past, 0, {.periods = 7, .neighbours = 3}))
    slot = std::max(slot, sample.value);
  return .5 * slot + .15 * predictor::recent_max(past, 7 * past.season) + .3 * predictor::recent_max(past, 36);
}

std::string allocations(const Recording& recording, std::size_t from) {
  constexpr double kLevel = .03;  // relative: smaller changes are none
  std::array<double, kKnobs.size()> last;
  last.fill(-1);
  std::string text;
  const predictor::SeriesView series = recording.series.view();
  for (std::size_t step = std::min(from, series.size() - 1); step < series.size(); ++step) {
    const double base = expected(series.first(step));
    for (std::size_t k = 0; k < kKnobs.size(); ++k) {
      const double allocation = base * kKnobs[k];
      if (std::abs(allocation - last[k]) <= kLevel * last[k]) continue;
      last[k] = allocation;
      fmt::format_to(std::back_inserter(text), "{},{},{:.4g},{}\n", recording.name, step, allocation, kKnobs[k]);
    }
  }
  return text;
}

}  // namespace

Status run_allocate(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto recordings = read_folder((*asked)->data, (*asked)->metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  std::vector<std::string> parts(recordings->size());
  for_each_parallel(parts.size(), (*asked)->threads, "series", [&](std::size_t i) {
    if ((*recordings)[i].series.size() > 0) parts[i] = allocations((*recordings)[i], (*asked)->train_steps);
  });
  output->write("series,step,alloc,knob\n");
  for (const std::string& part : parts) output->write(part);
  return output->finish();
}

}  // namespace foreflow::backtest
