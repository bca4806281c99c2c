// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/timers.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace foreflow::predictor {
namespace {

// The smallest value that at least `quantile` of the known ones do not exceed; infinity when none is known.
double quantile_of(const SeriesView& series, double quantile) {
  std::vector<double> known;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series.is_gap(i)) known.push_back(series.values[i]);
  if (known.empty()) return std::numeric_limits<double>::infinity();
  const double rank = std::ceil(std::clamp(quantile, 0., 1.) * static_cast<double>(known.size()));
  const auto place = known.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.)) - 1;
  std::ranges::nth_element(known, place);
  return *place;
}

// P(X >= hits), X binomial: the terms upwards from `hits`, each from the one before.
double at_least(std::size_t hits, std::size_t trials, double chance) {
  if (hits == 0 || chance >= 1) return 1;
  if (chance <= 0) return 0;
  const auto n = static_cast<double>(trials), k = static_cast<double>(hits);
  double term = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(chance) +
                         (n - k) * std::log1p(-chance));
  double sum = 0;
  for (double x = k; x <= n; ++x) {
    sum += term;
    term *= (n - x) / (x + 1) * chance / (1 - chance);
  }
  return std::min(sum, 1.);
}

std::size_t distance(std::size_t a, std::size_t b, std::size_t period) {
  const std::size_t apart = a > b ? a - b : b - a;
  return std::min(apart, period - apart);
}

class Search {
 public:
  Search(const SeriesView& series, const TimerSearch& search)
      : series_(series), search_(search), onsets_(burst_onsets(series, search.quantile)) {}

  std::vector<BurstTimer> surest() const {
    const std::size_t periods = series_.size() / search_.period;
    if (onsets_.empty() || periods < 2) return {};
    const double width = 2 * static_cast<double>(search_.tolerance) + 1;
    const double per_point = static_cast<double>(onsets_.size()) / static_cast<double>(series_.size());
    const double chance = -std::expm1(-width * per_point);  // at least one within the tolerance, at a constant rate
    std::vector<BurstTimer> timers;
    for (std::size_t place = 0; place < search_.period; ++place) {
      BurstTimer timer = at(place);
      timer.periods = std::max(periods, timer.hits);
      timer.probability = at_least(timer.hits, timer.periods, chance);
      if (timer.probability <= search_.significance / static_cast<double>(search_.period)) timers.push_back(timer);
    }
    return apart(std::move(timers));
  }

  double share(const std::vector<BurstTimer>& timers) const {
    if (onsets_.empty()) return 0;
    const auto is_timed = [&](std::size_t onset) {
      return std::ranges::any_of(timers, [&](const BurstTimer& timer) { return is_near(onset, timer.place); });
    };
    return static_cast<double>(std::ranges::count_if(onsets_, is_timed)) / static_cast<double>(onsets_.size());
  }

 private:
  std::size_t place_of(std::size_t point) const { return (series_.phase + point) % search_.period; }
  bool is_near(std::size_t onset, std::size_t place) const {
    return distance(place_of(onset), place, search_.period) <= search_.tolerance;
  }

  BurstTimer at(std::size_t place) const {
    BurstTimer timer{.place = place};
    double heights = 0, count = 0;
    std::size_t last = std::numeric_limits<std::size_t>::max();
    for (const std::size_t onset : onsets_) {
      if (!is_near(onset, place)) continue;
      heights += series_.values[onset];
      ++count;
      // Counted from half a period before the place, so that the tolerance never straddles two periods.
      const std::size_t turn = (series_.phase + onset + search_.period + search_.period / 2 - place) / search_.period;
      if (turn != last) ++timer.hits;
      last = turn;
    }
    if (count > 0) timer.height = heights / count;
    return timer;
  }

  std::vector<BurstTimer> apart(std::vector<BurstTimer> timers) const {
    std::ranges::stable_sort(timers, {}, &BurstTimer::probability);
    std::vector<BurstTimer> chosen;
    for (const BurstTimer& timer : timers)
      if (std::ranges::none_of(chosen, [&](const BurstTimer& surer) {
            return distance(surer.place, timer.place, search_.period) <= 2 * search_.tolerance;
          }))
        chosen.push_back(timer);
    return chosen;
  }

  const SeriesView& series_;
  const TimerSearch& search_;
  std::vector<std::size_t> onsets_;
};

}  // namespace

std::vector<std::size_t> burst_onsets(const SeriesView& series, double quantile) {
  const double level = quantile_of(series, quantile);
  std::vector<std::size_t> onsets;
  bool before = false;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const bool burst = series.values[i] > level;  // false for a gap
    if (burst && !before) onsets.push_back(i);
    before = burst;
  }
  return onsets;
}

std::vector<BurstTimer> burst_timers(const SeriesView& series, const TimerSearch& search) {
  return Search(series, search).surest();
}

double share_by_timers(const SeriesView& series, const TimerSearch& search, const std::vector<BurstTimer>& timers) {
  return Search(series, search).share(timers);
}

}  // namespace foreflow::predictor
