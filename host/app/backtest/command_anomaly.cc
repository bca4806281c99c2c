// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/labelled.h"
#include "host/app/backtest/parallel.h"
#include "predictor/anomaly/detector.h"

namespace foreflow::backtest {
namespace {

constexpr std::string_view kUsage =
    "usage: foreflow-backtest anomaly --truth DIR -o FILE [OPTIONS]\n\n"
    "Anomaly scores of every row of every series, as series,timestamp,score,strength,cause,above,duration. DIR holds "
    "files\n"
    "with the columns timestamp,value, or a folder data/ of such files. A score uses the values up to its row alone; "
    "it\n"
    "is 0 where the same event has been told already, and an alarm from the threshold on.";

struct Settings : CommonSettings {
  double threshold = predictor::kAnomalyThreshold;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  auto add = options.add_options();
  add("truth", path_value(made.data, "DIR")->required(), "series with timestamps");
  add("threshold", po::value(&made.threshold)->default_value(made.threshold, fmt::format("{}", made.threshold)),
      "the score from which a row is an alarm");
  add_output(options, made);
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (!(made.threshold > 0 && made.threshold < 1))
    return fail(ErrorCode::kInvalidArgument, fmt::format("--threshold {}: above 0 and below 1", made.threshold));
  return made;
}

std::string rows(const TimedSeries& series, double threshold) {
  predictor::AnomalyDetector detector(threshold);
  std::string text;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    const auto verdict = detector.push(series.seconds[i], series.values[i]);
    fmt::format_to(std::back_inserter(text), "{},{},{:.5g},{:.5g},{},{:d},{}\n", series.name, series.timestamps[i],
                   verdict.score, verdict.strength, verdict.strength > 0 ? to_string(verdict.cause) : "", verdict.above,
                   verdict.duration);
  }
  return text;
}

}  // namespace

Status run_anomaly(const std::vector<std::string>& arguments) {
  const auto asked = settings(arguments);
  if (!asked) return tl::unexpected(asked.error());
  if (!*asked) return {};
  const auto all = read_timed_folder((*asked)->data);
  if (!all) return tl::unexpected(all.error());
  auto output = TextWriter::open((*asked)->output);
  if (!output) return tl::unexpected(output.error());
  std::vector<std::string> parts(all->size());
  for_each_parallel(parts.size(), (*asked)->threads, "series",
                    [&](std::size_t i) { parts[i] = rows((*all)[i], (*asked)->threshold); });
  output->write("series,timestamp,score,strength,cause,above,duration\n");
  for (const std::string& part : parts) output->write(part);
  return output->finish();
}

}  // namespace foreflow::backtest
