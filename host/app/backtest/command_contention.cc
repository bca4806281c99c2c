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
#include "host/app/backtest/idle_guarantee.h"
#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest contention --data DIR --groups FILE -o FILE [OPTIONS]\n\n"
    "What VMs on links that are too small would have got at each step, as series,step,share in bytes per second; a "
    "row\n"
    "where it changes. The manager's allocator decides it from the steps before. FILE of --groups: series,link,p99.";

// Of the guarantees that their owners need: so many may be missed by who learned what to keep free from the same rows.
// Later rows miss about a third more than those that were learned from, and .001 is what is promised.
constexpr double kMissed = .0006;

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

// Says what was learned.
Result<std::string> keep_guarantees(const Settings& asked, std::vector<SharedLink>& links) {
  if (asked.scenario.lending || links.empty()) return "idle guarantees are lent";
  const auto fleet = read_folder(asked.train, asked.metric, {"active"});
  if (!fleet) return tl::unexpected(fleet.error());
  const auto price = learn_price(*fleet, links.front().members.size(), asked.scenario, kMissed, asked.threads);
  if (!price) return tl::unexpected(price.error());
  const double scale = mean_p99(links);
  for_each_parallel(links.size(), asked.threads, "margins", [&](std::size_t i) {
    set_margins(links[i], asked.scenario, asked.scenario.first, *price * scale);
  });
  return fmt::format("a missed guarantee is worth {:.2f} times the mean p99 kept free", *price);
}

}  // namespace

Status run_contention(const std::vector<std::string>& arguments) {
  const auto settled = settings(arguments);
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  const Settings& asked = **settled;
  const auto recordings = read_folder(asked.data, asked.metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  auto links = read_links(asked.groups, *recordings);
  if (!links) return tl::unexpected(links.error());
  const auto learned = keep_guarantees(asked, *links);
  if (!learned) return tl::unexpected(learned.error());
  auto output = TextWriter::open(asked.output);
  if (!output) return tl::unexpected(output.error());

  std::vector<Result<std::string>> parts(links->size());
  for_each_parallel(parts.size(), asked.threads, "links",
                    [&](std::size_t i) { parts[i] = replay_link((*links)[i], asked.scenario); });
  output->write("series,step,share\n");
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    output->write(*part);
  }
  fmt::print("{} links; {}\n", links->size(), *learned);
  return output->finish();
}

}  // namespace foreflow::backtest
