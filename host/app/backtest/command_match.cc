// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"
#include "predictor/features/whole.h"
#include "predictor/models/nearest_profiles.h"
#include "predictor/series/resample.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kUsage =
    "usage: foreflow-backtest match --data DIR -o FILE [OPTIONS]\n\n"
    "Where, in its own past and that of all others, each series' newest window has been seen before, as\n"
    "series,rank,match,row,distance,next_1,...: the row at which the similar window begins, and what came after it.\n"
    "Windows are compared as log(1 + x), brought to mean 0 and deviation 1.";

struct Settings : CommonSettings {
  std::string series;
  std::size_t window = 24, matches = 5, horizon = 12;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  add_common(options, made, "SERIES.csv or SERIES.csv.gz files");
  auto add = options.add_options();
  add("series", po::value(&made.series)->value_name("NAME"), "this one alone; otherwise all");
  add("window", po::value(&made.window)->default_value(made.window), "rows that are compared");
  add("matches", po::value(&made.matches)->default_value(made.matches), "how many of the nearest are told");
  add("horizon", po::value(&made.horizon)->default_value(made.horizon), "rows of the continuation");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (made.window < 2) return fail(ErrorCode::kInvalidArgument, fmt::format("--window {}: at least 2", made.window));
  return made;
}

struct Fleet {
  std::vector<std::string> names;
  std::vector<std::vector<double>> logs;
};

Fleet fleet_of(const std::vector<Recording>& recordings) {
  Fleet fleet;
  for (const Recording& recording : recordings) {
    fleet.names.push_back(recording.name);
    fleet.logs.push_back(predictor::interpolated(predictor::log1p(recording.series.view()).view()));
  }
  return fleet;
}

// Continuations are in the unit of the series, as they were.
std::string rows(const Fleet& fleet, std::size_t which, const Settings& asked) {
  const std::span<const double> own = fleet.logs[which];
  if (own.size() < asked.window) return {};
  // Its own newest windows are no news: a match is followed by the whole continuation, so none overlaps the query if
  // that is at least as long as the window.
  const std::size_t followed = std::max(asked.horizon, asked.window);
  const auto found = predictor::nearest_profiles(own.last(asked.window), fleet.logs, asked.matches, followed);
  std::string text;
  for (std::size_t rank = 0; rank < found.size(); ++rank) {
    const auto& [series, match] = found[rank];
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{:.5g}", fleet.names[which], rank + 1, fleet.names[series],
                   match.start, match.distance);
    for (std::size_t h = 0; h < asked.horizon; ++h)
      fmt::format_to(std::back_inserter(text), ",{:.6g}",
                     std::expm1(fleet.logs[series][match.start + asked.window + h]));
    text += '\n';
  }
  return text;
}

}  // namespace

Status run_match(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto recordings = read_folder((*asked)->data, (*asked)->metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  const Fleet fleet = fleet_of(*recordings);
  if (const std::string& name = (*asked)->series; !name.empty() && std::ranges::count(fleet.names, name) == 0)
    return fail(ErrorCode::kNotFound, fmt::format("--series '{}': no such file in {}", name, (*asked)->data.string()));
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  std::vector<std::string> parts(fleet.names.size());
  for_each_parallel(parts.size(), (*asked)->threads, "series", [&](std::size_t i) {
    if ((*asked)->series.empty() || (*asked)->series == fleet.names[i]) parts[i] = rows(fleet, i, **asked);
  });
  std::string header = "series,rank,match,row,distance";
  for (std::size_t h = 1; h <= (*asked)->horizon; ++h) header += fmt::format(",next_{}", h);
  output->write(header + "\n");
  for (const std::string& part : parts) output->write(part);
  return output->finish();
}

}  // namespace foreflow::backtest
