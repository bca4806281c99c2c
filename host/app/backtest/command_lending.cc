// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/allocate/round.h"
#include "host/app/backtest/arguments.h"
#include "host/app/backtest/command.h"
#include "host/app/backtest/contention.h"
#include "host/app/backtest/dataset.h"
#include "host/app/backtest/metered_link.h"
#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: foreflow-backtest lending --data DIR --groups FILE [OPTIONS]\n\n"
    "VMs on links that are too small, whose device lends what is unused: rights (CIR) by one round of the manager's\n"
    "allocation per row, caps of --peak times the p99, and in every --every-th row --seconds of traffic in pieces of "
    "10 ms\n"
    "through the dataplane's meters. Prints what went unserved, and what no meter could have served: the demand of "
    "each\n"
    "10 ms beyond what the caps allow and the link carries in them. FILE of --groups: series,link,p99.";

constexpr double kMargin = 1.2;   // on the level that is forecast
constexpr double kLeast = 1'000;  // bytes per second that every VM wants
constexpr std::size_t kPeriods = 9;

struct Settings {
  fs::path data;
  fs::path groups;
  std::string metric;
  std::size_t history = 0;
  std::size_t rows = 0;
  std::size_t every = 0;
  std::size_t ticks = 0;
  std::size_t threads = 0;
  double peak = 3;
  Burstiness burstiness;
  Scenario scenario;
};

Result<std::optional<Settings>> settings(const std::vector<std::string>& arguments) {
  Settings made;
  po::options_description options("Options");
  auto add = options.add_options();
  double seconds = 0;
  add("data", path_value(made.data, "DIR")->required(), "files of the series, one each");
  add("groups", path_value(made.groups, "FILE")->required(), "which series share a link");
  add("metric", po::value(&made.metric)->default_value("net_tx_Bps"), "the demand column");
  add("capacity", po::value(&made.scenario.capacity)->default_value(.7), "of a link, as a share of the sum of p99s");
  add("peak", po::value(&made.peak)->default_value(3), "times its p99 is what a VM may send at most");
  add("variation", po::value(&made.burstiness.variation)->default_value(Burstiness{}.variation),
      "of a client's 10 ms: variance of the bytes over the square of their mean");
  add("client", po::value(&made.burstiness.client)->default_value(Burstiness{}.client),
      "bytes per second of a client: so many of them make up a VM's traffic");
  add("run", po::value(&made.burstiness.run)->default_value(Burstiness{}.run), "of a burst, in 10 ms");
  add("every", po::value(&made.every)->default_value(100), "rows from one that is played to the next");
  add("seconds", po::value(&seconds)->default_value(20), "of traffic that are played of such a row");
  add("history", po::value(&made.history)->default_value(28 * kDay), "rows before the first round");
  add("rows", po::value(&made.rows)->default_value(std::numeric_limits<std::size_t>::max(), "all"), "that follow");
  add("threads", po::value(&made.threads)->default_value(0), "0 = one per CPU");
  const auto values = parse(arguments, options, kUsage);
  if (!values) return tl::unexpected(values.error());
  if (!*values) return std::nullopt;
  const auto refuse = [](std::string_view what, double value, std::string_view right) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("--{} {}; {} is possible", what, value, right));
  };
  if (!(made.scenario.capacity > 0 && made.scenario.capacity <= 1'000))
    return refuse("capacity", made.scenario.capacity, "above 0 and up to 1000");
  if (!(made.peak >= 1 && made.peak <= 1'000)) return refuse("peak", made.peak, "1 to 1000");
  if (!(made.burstiness.variation >= .01 && made.burstiness.variation <= 1'000))
    return refuse("variation", made.burstiness.variation, ".01 to 1000");
  if (!(made.burstiness.client >= 1)) return refuse("client", made.burstiness.client, "1 and more");
  if (!(made.burstiness.run >= 1 && made.burstiness.run <= 1'000))
    return refuse("run", made.burstiness.run, "1 to 1000");
  if (!(seconds >= .1 && seconds <= 300)) return refuse("seconds", seconds, ".1 to 300");
  if (made.every == 0 || made.history == 0) return refuse(made.every == 0 ? "every" : "history", 0, "1 and more");
  made.ticks = static_cast<std::size_t>(seconds * static_cast<double>(kNanosPerSecond) / kTickNs);
  return made;
}

BytesPerSecond rate(double value) { return {static_cast<std::uint64_t>(std::ceil(std::max(value, 0.)))}; }

// A link's rounds, row after row, and the meters that they configure.
class Player {
 public:
  Player(const SharedLink& link, const Settings& asked)
      : link_(link),
        asked_(asked),
        capacity_(rate(asked.scenario.capacity * total_p99(link))),
        meters_(capacity_, link.members.size()) {
    // All of the scenario's capacity may be promised: the device's is larger by what never is.
    round_ = {.capacity = rate(static_cast<double>(capacity_.value) * 100 / allocate::kPromisablePercent),
              .link = link.name,
              .lending = true};
    const std::vector<double> guaranteed = guarantees(link, asked.scenario);
    for (std::size_t i = 0; i < link.members.size(); ++i)
      round_.members.push_back({.vm = VmId{static_cast<std::uint32_t>(i + 1)},
                                .guarantee = rate(guaranteed[i] - 1),
                                .least = rate(kLeast),
                                .hold_ns = 24 * kRowNs});
  }

  Result<TickFigures> run() {
    std::size_t end = link_.members.front().recording->series.size();
    for (const Member& member : link_.members) end = std::min(end, member.recording->series.size());
    TickFigures sum;
    for (std::size_t row = asked_.history; row < end && row - asked_.history < asked_.rows; ++row) {
      auto solved = decide(row);
      if (!solved) return tl::unexpected(solved.error());
      if (row % asked_.every == 0) sum += play(row, *solved);
    }
    return sum;
  }

 private:
  static constexpr std::uint64_t kRowNs = 300 * kNanosPerSecond;

  static double total_p99(const SharedLink& link) {
    double sum = 0;
    for (const Member& member : link.members) sum += member.p99;
    return sum;
  }

  Result<allocate::Solved> decide(std::size_t row) {
    round_.now = {static_cast<std::int64_t>((row + 1) * kRowNs)};
    for (std::size_t i = 0; i < round_.members.size(); ++i) {
      const predictor::SeriesView past = link_.members[i].recording->series.view().first(row);
      const auto levels = demand_levels(past.last(kPeriods * past.season), kMargin);
      round_.members[i].demand = rate(*std::max_element(levels.begin(), levels.begin() + kRare + 1));
      round_.members[i].peak = round_.members[i].demand;
    }
    auto solved = allocate::solve(round_);
    if (!solved)
      return fail(solved.error().code, fmt::format("{} at row {}: {}", link_.name, row, solved.error().message));
    for (std::size_t i = 0; i < round_.members.size(); ++i) {
      round_.members[i].previous = solved->outcomes[i].state;
      round_.members[i].installed = solved->outcomes[i].share.pir;
    }
    return solved;
  }

  TickFigures play(std::size_t row, const allocate::Solved& solved) {
    std::vector<MeteredVm> vms;
    std::vector<std::vector<double>> traffic;
    for (std::size_t i = 0; i < link_.members.size(); ++i) {
      const Member& member = link_.members[i];
      const BytesPerSecond cir = solved.outcomes[i].share.cir;
      const double part = member.p99 / std::max(total_p99(link_), 1.);
      vms.push_back({cir, std::max(cir, rate(asked_.peak * member.p99)),
                     static_cast<std::uint32_t>(1 + std::lround(1'000 * part))});
      const double mean = member.recording->series.view().values[row];
      traffic.push_back(spread(std::isnan(mean) ? 0 : mean, asked_.ticks, asked_.burstiness, random_));
    }
    meters_.configure(vms);
    return meters_.run(traffic);
  }

  const SharedLink& link_;
  const Settings& asked_;
  BytesPerSecond capacity_;
  allocate::Round round_;
  MeteredLink meters_;
  std::mt19937_64 random_{7};
};

}  // namespace

Status run_lending(const std::vector<std::string>& arguments) {
  const auto settled = settings(arguments);
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  const Settings& asked = **settled;
  const auto recordings = read_folder(asked.data, asked.metric, {});
  if (!recordings) return tl::unexpected(recordings.error());
  const auto links = read_links(asked.groups, *recordings);
  if (!links) return tl::unexpected(links.error());
  std::vector<Result<TickFigures>> parts(links->size());
  for_each_parallel(parts.size(), asked.threads, "links",
                    [&](std::size_t i) { parts[i] = Player((*links)[i], asked).run(); });
  TickFigures sum;
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    sum += *part;
  }
  if (sum.demand <= 0) return fail(ErrorCode::kInvalidArgument, "no demand in the rows that were played");
  const auto percent = [&](double bytes) { return 100 * bytes / sum.demand; };
  fmt::print(
      "unserved {:.3f} %; unavoidable at 10 ms by link and caps {:.3f} %, difference {:.3f} points; by the link alone "
      "{:.3f} %\n"
      "of what is unserved, above caps {:.3f} %, let through beyond the link {:.3f} %\n",
      percent(sum.unserved), percent(sum.capped_too), percent(sum.unserved - sum.capped_too), percent(sum.unavoidable),
      percent(sum.capped), percent(sum.collided));
  return {};
}

}  // namespace foreflow::backtest
