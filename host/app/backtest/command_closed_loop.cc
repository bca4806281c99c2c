// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/arguments.h"
#include "host/app/backtest/closed_loop.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest closed-loop --data DIR --groups FILE [OPTIONS]\n\n"
    "VMs on links that are too small, one round of the manager's allocation per row. Prints how much of their demand\n"
    "goes unserved when everything that they would send is seen (open loop), and when a limited sender gives way, so\n"
    "that only what passes and a twentieth more is seen and learned from (closed loop); with a model whose forecasts\n"
    "are --scale times too small from half of the rows on; and without taking limits back. FILE of --groups:\n"
    "series,link,p99.";

struct Settings {
  fs::path data;
  fs::path groups;
  std::string metric;
  std::size_t rows = 0;
  std::size_t threads = 0;
  double scale = .3;
  Loop loop;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  auto add = options.add_options();
  std::string data;
  std::string groups;
  add("data", po::value(&data)->required()->value_name("DIR"), "files of the series, one each");
  add("groups", po::value(&groups)->required()->value_name("FILE"), "which series share a link");
  add("metric", po::value(&made.metric)->default_value("net_tx_Bps"), "the demand column");
  add("capacity", po::value(&made.loop.capacity)->default_value(.7), "of a link, as a share of the sum of p99s");
  add("lending", po::bool_switch(&made.loop.lending), "the device lends what is unused");
  add("scale", po::value(&made.scale)->default_value(.3), "of the bad model's forecasts");
  add("history", po::value(&made.loop.first)->default_value(28 * kDay), "rows before the first round");
  add("rows", po::value(&made.rows)->default_value(28 * kDay), "rows that are played");
  add("threads", po::value(&made.threads)->default_value(0), "0 = one per CPU");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  if (!(made.loop.capacity > 0 && made.loop.capacity <= 1'000))
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("--capacity {}; above 0 and up to 1000 is possible", made.loop.capacity));
  if (!(made.scale >= 0 && made.scale <= 1'000))
    return fail(ErrorCode::kInvalidArgument, fmt::format("--scale {}; 0 to 1000 is possible", made.scale));
  if (made.loop.first == 0) return fail(ErrorCode::kInvalidArgument, "--history 0; at least one row is needed");
  made.data = data;
  made.groups = groups;
  made.loop.last = made.loop.first + made.rows;
  made.loop.bad_from = made.loop.first + made.rows / 2;
  return made;
}

Result<LoopFigures> figures(const std::vector<SharedLink>& links, const Loop& loop, std::size_t threads) {
  std::vector<Result<LoopFigures>> parts(links.size());
  for_each_parallel(parts.size(), threads, "links", [&](std::size_t i) { parts[i] = run_loop(links[i], loop); });
  LoopFigures sum;
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    sum += *part;
  }
  return sum;
}

void print(std::string_view name, const LoopFigures& f) {
  const double vm_days = static_cast<double>(f.vm_steps) / kDay;
  fmt::print("{:<34} {:>9.5f} {:>9.4f} {:>6} {:>10.2f} {:>12.4g} {:>9}\n", name, f.unserved / f.demand,
             static_cast<double>(f.limited_steps) / static_cast<double>(f.vm_steps), f.sunk,
             static_cast<double>(f.reversals) / vm_days, f.cir / static_cast<double>(f.vm_steps), f.rollbacks);
}

}  // namespace

Status run_closed_loop(const std::vector<std::string>& arguments) {
  const auto settled = settings(arguments);
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  const Settings& asked = **settled;
  const auto recordings = read_folder(asked.data, asked.metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  const auto links = read_links(asked.groups, *recordings);
  if (!links) return tl::unexpected(links.error());
  fmt::print("{:<34} {:>9} {:>9} {:>6} {:>10} {:>12} {:>9}\n", "", "unserved", "limited", "sunk", "reversals",
             "mean CIR", "rollbacks");
  Loop open = asked.loop;
  open.closed = false;
  Loop bad = asked.loop;
  bad.scale = asked.scale;
  Loop careless = bad;
  careless.regret = false;
  for (const auto& [name, loop] : {std::pair<std::string_view, const Loop&>{"open loop", open},
                                   {"closed loop", asked.loop},
                                   {"closed loop, bad model", bad},
                                   {"closed loop, bad model, no regret", careless}}) {
    const auto sum = figures(*links, loop, asked.threads);
    if (!sum) return tl::unexpected(sum.error());
    print(name, *sum);
  }
  return {};
}

}  // namespace foreflow::backtest
