// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/idle_guarantee.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "host/app/backtest/parallel.h"

namespace foreflow::backtest {
namespace {

constexpr double kServed = .999;  // of demand within the guarantee: less is a miss
constexpr int kLowest = -8;       // prices that are tried: 2^(k/2) times the mean p99
constexpr int kHighest = 9;
constexpr std::size_t kWarmUp = 7;  // periods of which nothing is judged

double p99(const Recording& recording, std::size_t rows) {
  std::vector<double> seen;
  std::ranges::copy_if(recording.series.view().first(std::min(rows, recording.series.size())).values,
                       std::back_inserter(seen), [](double value) { return !std::isnan(value); });
  if (seen.empty()) return 0;
  const auto rank = std::next(seen.begin(), static_cast<std::ptrdiff_t>(99 * (seen.size() - 1) / 100));
  std::nth_element(seen.begin(), rank, seen.end());
  return *rank;
}

std::vector<SharedLink> dealt(std::span<const Recording> fleet, std::size_t per_link, std::size_t rows) {
  std::vector<SharedLink> links;
  for (std::size_t first = 0; first + per_link <= fleet.size(); first += per_link) {
    links.push_back({fmt::format("training link {}", links.size()), {}});
    for (const Recording& recording : fleet.subspan(first, per_link))
      links.back().members.push_back({&recording, p99(recording, rows)});
  }
  return links;
}

struct Misses {
  std::uint64_t missed = 0;
  std::uint64_t steps = 0;
};

Result<Misses> misses(const SharedLink& link, const Scenario& scenario) {
  const std::vector<double> guaranteed = guarantees(link, scenario);
  Misses found;
  const auto played = play(link, scenario, [&](std::size_t step, std::span<const BytesPerSecond> shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const Recording& recording = *link.members[i].recording;
      if (recording.observed[step] == 0 || recording.series.view().is_gap(step)) continue;
      const double needed = std::min(recording.series.view().values[step], guaranteed[i]);
      ++found.steps;
      found.missed += static_cast<double>(shares[i].value) < kServed * needed ? 1 : 0;
    }
  });
  if (!played) return tl::unexpected(played.error());
  return found;
}

}  // namespace

double Keeping::cheapest(double price) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < kMargins.size(); ++i)
    if (unused[i] + price * missed[i] <= unused[best] + price * missed[best]) best = i;
  return kMargins[best];
}

Keeping keep(const predictor::SeriesView& past, double guarantee) {
  Keeping kept;
  double steps = 0;
  for (std::size_t step = kWarmUp * past.season; step < past.size(); ++step) {
    if (past.is_gap(step)) continue;
    ++steps;
    const double needed = std::min(past.values[step], guarantee);
    const double usual = demand_levels(past.first(step), 1)[kRare];
    for (std::size_t i = 0; i < kMargins.size(); ++i) {
      const double free = kept_free(guarantee, kMargins[i], usual);
      kept.unused[i] += std::max(free - needed, 0.);
      kept.missed[i] += free < kServed * needed ? 1 : 0;
    }
  }
  for (double& sum : kept.unused) sum /= std::max(steps, 1.);
  for (double& sum : kept.missed) sum /= std::max(steps, 1.);
  return kept;
}

void set_margins(SharedLink& link, const Scenario& scenario, std::size_t rows, double price) {
  const std::vector<double> guaranteed = guarantees(link, scenario);
  for (std::size_t i = 0; i < link.members.size(); ++i) {
    const predictor::Series& series = link.members[i].recording->series;
    link.members[i].margin = keep(series.view().first(std::min(rows, series.size())), guaranteed[i]).cheapest(price);
  }
}

Result<double> learn_price(std::span<const Recording> fleet, std::size_t per_link, const Scenario& scenario,
                           double missed, std::size_t threads) {
  Scenario past = scenario;
  past.last = scenario.first;
  std::vector<SharedLink> links = dealt(fleet, std::max<std::size_t>(per_link, 1), past.last);
  const double scale = mean_p99(links);
  std::vector<std::vector<Keeping>> keeping(links.size());
  for_each_parallel(links.size(), threads, "what guarantees cost", [&](std::size_t l) {
    const std::vector<double> guaranteed = guarantees(links[l], past);
    for (std::size_t i = 0; i < guaranteed.size(); ++i) {
      const predictor::Series& series = links[l].members[i].recording->series;
      keeping[l].push_back(keep(series.view().first(std::min(past.last, series.size())), guaranteed[i]));
    }
  });
  const auto price_of = [](int exponent) { return std::pow(2., exponent / 2.); };
  int low = kLowest;
  int high = kHighest;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    std::vector<Result<Misses>> parts(links.size());
    for_each_parallel(links.size(), threads, "price of a miss", [&](std::size_t l) {
      for (std::size_t i = 0; i < links[l].members.size(); ++i)
        links[l].members[i].margin = keeping[l][i].cheapest(scale * price_of(middle));
      Scenario scored = past;
      scored.first = kWarmUp * links[l].members.front().recording->series.view().season;
      parts[l] = misses(links[l], scored);
    });
    Misses sum;
    for (const auto& part : parts) {
      if (!part) return tl::unexpected(part.error());
      sum.missed += part->missed;
      sum.steps += part->steps;
    }
    const bool enough = static_cast<double>(sum.missed) <= missed * static_cast<double>(sum.steps);
    (enough ? high : low) = enough ? middle : middle + 1;
  }
  return price_of(high);
}

double mean_p99(std::span<const SharedLink> links) {
  double sum = 0;
  double count = 0;
  for (const SharedLink& link : links)
    for (const Member& member : link.members) {
      sum += member.p99;
      ++count;
    }
  return sum / std::max(count, 1.);
}

}  // namespace foreflow::backtest
