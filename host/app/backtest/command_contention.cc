// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/contention.h"
#include "host/app/backtest/csv.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest contention --data DIR --groups FILE -o FILE [OPTIONS]\n\n"
    "What VMs on links that are too small would have got at each step, as series,step,share in bytes per second; a "
    "row\n"
    "where it changes. The manager's allocator decides it from the steps before. FILE of --groups: series,link,p99.";

// Of the steps: how often demand within the guarantee may exceed what is kept free for it. About half of these steps
// are served all the same, from what the others leave.
constexpr double kMissed = .0018;

struct Settings : CommonSettings {
  fs::path groups;
  std::size_t train_steps = 0;
  Scenario scenario;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  add_common(options, made, "files of the series, one each");
  add_train(options, made);
  auto add = options.add_options();
  add("groups", path_value(made.groups, "FILE")->required(), "which series share a link");
  add("capacity", po::value(&made.scenario.capacity)->default_value(.7), "of a link, as a share of the sum of p99s");
  add("lending", po::bool_switch(&made.scenario.lending), "the device lends what is unused, by weight");
  add("train-steps", po::value(&made.train_steps)->default_value(28 * kDay), "rows before the first allocation");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (!(made.scenario.capacity > 0 && made.scenario.capacity <= 1'000))
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("--capacity {}; above 0 and up to 1000 is possible", made.scenario.capacity));
  if (made.train.empty()) made.train = made.data;
  made.scenario.first = made.train_steps;
  return made;
}

Result<double> learned_margin(const Settings& asked) {
  const auto fleet = read_folder(asked.train, asked.metric, {"active"});
  if (!fleet) return tl::unexpected(fleet.error());
  return calibrate_margin(*fleet, asked.train_steps, asked.scenario, kMissed);
}

}  // namespace

Status run_contention(const std::vector<std::string>& arguments) {
  const auto settled = settings(arguments);
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  const Settings& asked = **settled;
  const auto recordings = read_folder(asked.data, asked.metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  const auto links = read_links(asked.groups, *recordings);
  if (!links) return tl::unexpected(links.error());
  const auto margin = learned_margin(asked);
  if (!margin) return tl::unexpected(margin.error());
  Scenario scenario = asked.scenario;
  scenario.margin = *margin;
  auto output = TextWriter::open(asked.output);
  if (!output) return tl::unexpected(output.error());

  std::vector<Result<std::string>> parts(links->size());
  for_each_parallel(parts.size(), asked.threads, "links",
                    [&](std::size_t i) { parts[i] = replay_link((*links)[i], scenario); });
  output->write("series,step,share\n");
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    output->write(*part);
  }
  fmt::print("{} links; margin {:.2f}\n", links->size(), *margin);
  return output->finish();
}

}  // namespace foreflow::backtest
