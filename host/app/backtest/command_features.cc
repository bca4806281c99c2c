// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"
#include "predictor/features/behaviour.h"
#include "predictor/features/edge.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kUsage =
    "usage: foreflow-backtest features --data DIR -o FILE [OPTIONS]\n\n"
    "What each series is like, one row a series: its name, then the numbers of the vector. behaviour_v1 describes days "
    "of\n"
    "5 minutes, edge_v1 the newest 900 samples of 1 s. A series without enough data has the reason in the last column\n"
    "and no numbers.";

struct Settings : CommonSettings {
  std::string vector;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  add_common(options, made, "SERIES.csv or SERIES.csv.gz files");
  options.add_options()("vector", po::value(&made.vector)->default_value(std::string(predictor::kBehaviourVersion)),
                        "behaviour_v1 or edge_v1");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (made.vector != predictor::kBehaviourVersion && made.vector != predictor::kEdgeVersion)
    return fail(ErrorCode::kInvalidArgument, fmt::format("--vector '{}'; {} and {} are possible", made.vector,
                                                         predictor::kBehaviourVersion, predictor::kEdgeVersion));
  return made;
}

template <typename Vector>
std::string row(const std::string& name, const Result<Vector>& made) {
  std::string text = name;
  for (std::size_t i = 0; i < Vector().size(); ++i)
    text += made ? fmt::format(",{:.6g}", (*made)[i]) : std::string(",");
  std::string reason = made ? "" : made.error().message;
  std::ranges::replace(reason, ',', ';');
  return text + fmt::format(",{}\n", reason);
}

std::string header(std::span<const std::string_view> names) {
  return fmt::format("series,{},reason\n", fmt::join(names, ","));
}

}  // namespace

Status run_features(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto recordings = read_folder((*asked)->data, (*asked)->metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  const bool edge = (*asked)->vector == predictor::kEdgeVersion;
  std::vector<std::string> rows(recordings->size());
  for_each_parallel(rows.size(), (*asked)->threads, "series", [&](std::size_t i) {
    const Recording& recording = (*recordings)[i];
    const predictor::SeriesView series = recording.series.view();
    rows[i] = edge ? row(recording.name, predictor::edge_v1(series.values))
                   : row(recording.name, predictor::behaviour_v1(series));
  });
  if (edge)
    output->write(header(predictor::kEdgeNames));
  else
    output->write(header(predictor::kBehaviourNames));
  for (const std::string& text : rows) output->write(text);
  return output->finish();
}

}  // namespace foreflow::backtest
