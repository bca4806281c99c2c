// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/contention.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "host/allocate/admission.h"
#include "host/allocate/ladder.h"
#include "host/app/backtest/csv.h"
#include "predictor/features/samples.h"

namespace foreflow::backtest {
namespace {

constexpr double kLeast = 1'000;  // bytes per second that every VM wants

BytesPerSecond rate(double value) { return {static_cast<std::uint64_t>(std::ceil(std::max(value, kLeast)))}; }

// The link's VMs as the allocator sees them: weight and guarantee in proportion to p99.
struct Market {
  allocate::Problem problem;
  std::vector<double> guarantees;
};

Market market(const SharedLink& link, const Scenario& scenario) {
  double sum = 0;
  double largest = 0;
  for (const Member& member : link.members) {
    sum += member.p99;
    largest = std::max(largest, member.p99);
  }
  const double capacity = scenario.capacity * sum;
  Market made{.problem = {.lending = scenario.lending}, .guarantees = guarantees(link, scenario)};
  // All of the scenario's capacity may be promised: the device's is larger by what never is.
  const auto whole = static_cast<std::uint64_t>(capacity * 100 / allocate::kPromisablePercent);
  made.problem.links.push_back({{whole}, link.name});
  double lightest = allocate::kMostWeight;
  for (std::size_t i = 0; i < link.members.size(); ++i) {
    const double weight = std::max(1., allocate::kMostWeight * link.members[i].p99 / std::max(largest, kLeast));
    lightest = std::min(lightest, weight);
    made.problem.claims.push_back(
        {.vm = VmId{static_cast<std::uint32_t>(i + 1)}, .weight = static_cast<std::uint32_t>(weight), .links = {0}});
  }
  // Without caps each VM may borrow the whole link. A row is a right and a weight in one number, so the rights are in
  // proportion to the weights and the lightest VM's is the link.
  if (scenario.lending)
    for (allocate::Claim& claim : made.problem.claims) claim.peak = rate(capacity * claim.weight / lightest);
  return made;
}

using Rungs = std::vector<std::vector<BytesPerSecond>>;

// The levels of certainty and halfway between them, then whatever is left.
Rungs prepare(const SharedLink& link, const Scenario& scenario, std::size_t step, Market& market) {
  Rungs rungs(2 * kLevels, std::vector<BytesPerSecond>(link.members.size(), kUnlimited));
  for (std::size_t i = 0; i < link.members.size(); ++i) {
    const Member& member = link.members[i];
    const auto levels = demand_levels(member.recording->series.view().first(step), 1);
    rungs[0][i] = rate(levels[0]);
    for (std::size_t level = 1; level < kLevels; ++level) {
      rungs[2 * level - 1][i] = rate((levels[level - 1] + std::max(levels[level], levels[level - 1])) / 2);
      rungs[2 * level][i] = rate(levels[level]);
    }
    const double free =
        scenario.lending ? market.guarantees[i] : kept_free(market.guarantees[i], member.margin, levels[kRare]);
    market.problem.claims[i].guarantee = {static_cast<std::uint64_t>(free)};
  }
  return rungs;
}

}  // namespace

std::array<double, kLevels> demand_levels(const predictor::SeriesView& past, double margin) {
  const std::size_t hour = std::max<std::size_t>(past.season / 24, 1);
  double usual = predictor::recent_max(past, 3 * hour);
  for (const predictor::Sample& sample : predictor::same_slot(past, 0, {.periods = 7, .neighbours = 3}))
    usual = std::max(usual, sample.value);
  return {predictor::recent_max(past, 1), predictor::recent_max(past, hour), margin * usual,
          predictor::recent_max(past, past.season)};
}

Result<std::vector<SharedLink>> read_links(const std::filesystem::path& file, std::span<const Recording> recordings) {
  std::map<std::string, const Recording*, std::less<>> by_name;
  for (const Recording& recording : recordings) by_name.emplace(recording.name, &recording);
  auto reader = LineReader::open(file);
  if (!reader) return tl::unexpected(reader.error());
  std::map<std::string, SharedLink> links;
  std::string line;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    const auto row = cells(line);
    if (reader->line() == 1 && row.size() >= 3 && row[0] == "series" && row[1] == "link" && row[2] == "p99") continue;
    const auto p99 = row.size() >= 3 ? number(row[2]) : std::nullopt;
    if (reader->line() == 1 || !p99 || !std::isfinite(*p99) || *p99 < 0)
      return fail(ErrorCode::kMalformed,
                  fmt::format("{}:{}: needs the columns series,link,p99 and a rate >= 0 in the last", file.string(),
                              reader->line()));
    const auto known = by_name.find(row[0]);
    if (known == by_name.end())
      return fail(ErrorCode::kNotFound,
                  fmt::format("{}:{}: series '{}' is not among the data", file.string(), reader->line(), row[0]));
    SharedLink& link = links[std::string(row[1])];
    link.name = fmt::format("link {}", row[1]);
    link.members.push_back({known->second, *p99});
  }
  std::vector<SharedLink> read;
  read.reserve(links.size());
  for (auto& [name, link] : links) read.push_back(std::move(link));
  return read;
}

std::vector<double> guarantees(const SharedLink& link, const Scenario& scenario) {
  double sum = 0;
  for (const Member& member : link.members) sum += member.p99;
  std::vector<double> guaranteed;
  for (const Member& member : link.members)
    guaranteed.push_back(scenario.guarantee * scenario.capacity * sum * member.p99 / std::max(sum, kLeast));
  return guaranteed;
}

double kept_free(double guarantee, double margin, double usual) {
  if (margin == kWholeGuarantee) return guarantee;
  return std::min(guarantee, std::max(margin * usual, kLeast));
}

Status play(const SharedLink& link, const Scenario& scenario, const OnStep& on_step) {
  std::size_t end = scenario.last;
  for (const Member& member : link.members) end = std::min(end, member.recording->series.size());
  Market made = market(link, scenario);
  std::vector<BytesPerSecond> given(link.members.size());
  for (std::size_t step = scenario.first; step < end; ++step) {
    const Rungs rungs = prepare(link, scenario, step, made);
    const auto shares = allocate::allocate_ladder(made.problem, rungs);
    if (!shares)
      return fail(shares.error().code, fmt::format("{} at step {}: {}", link.name, step, shares.error().message));
    for (std::size_t i = 0; i < given.size(); ++i) given[i] = scenario.lending ? (*shares)[i].pir : (*shares)[i].cir;
    on_step(step, given);
  }
  return {};
}

Result<std::string> replay_link(const SharedLink& link, const Scenario& scenario) {
  std::vector<BytesPerSecond> last(link.members.size(), kUnlimited);
  std::string text;
  const auto played = play(link, scenario, [&](std::size_t step, std::span<const BytesPerSecond> shares) {
    for (std::size_t i = 0; i < last.size(); ++i) {
      if (shares[i] == last[i]) continue;
      last[i] = shares[i];
      fmt::format_to(std::back_inserter(text), "{},{},{}\n", link.members[i].recording->name, step, shares[i].value);
    }
  });
  if (!played) return tl::unexpected(played.error());
  return text;
}

}  // namespace foreflow::backtest
