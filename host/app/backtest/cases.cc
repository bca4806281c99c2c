// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/cases.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace foreflow::backtest {
namespace {

constexpr std::size_t kWeek = 7 * kDay;
constexpr std::size_t kHour = 12;

bool observed_whole(const Recording& recording, std::size_t from) {
  return std::all_of(recording.observed.begin() + static_cast<std::ptrdiff_t>(from),
                     recording.observed.begin() + static_cast<std::ptrdiff_t>(from + kDay),
                     [](std::uint8_t seen) { return seen != 0; });
}

bool days_differ(const predictor::SeriesView& week) {
  for (std::size_t i = kDay; i < week.size(); ++i)
    if (week.values[i] != week.values[i - kDay]) return true;
  return false;
}

std::size_t share(std::size_t rows, double of) { return static_cast<std::size_t>(static_cast<double>(rows) * of); }

}  // namespace

std::vector<Case> vm_cases(std::span<const Recording> recordings) {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    const std::size_t rows = recordings[i].series.size();
    for (const double part : {.55, .93}) {
      std::size_t origin = share(rows, part);
      while (origin + kDay < rows && !observed_whole(recordings[i], origin)) origin += kHour;
      if (origin + kDay > rows || origin < kWeek) continue;
      if (!days_differ(recordings[i].series.view().first(origin).last(kWeek))) continue;
      cases.push_back({.series = i, .known = origin, .origin = origin, .horizon = kDay});
    }
  }
  return cases;
}

std::vector<Case> link_cases(std::span<const Recording> recordings) {
  constexpr double kFirst = .4, kLast = .95;
  std::vector<Case> cases;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    const std::size_t rows = recordings[i].series.size();
    if (rows < kDay) continue;
    const std::size_t count = std::clamp<std::size_t>(share(rows, kLast - kFirst) / (2 * kHour) + 1, 1, 60);
    std::set<std::size_t> origins;
    for (std::size_t k = 0; k < count; ++k) {
      const double step = count == 1 ? 0 : (kLast - kFirst) * static_cast<double>(k) / static_cast<double>(count - 1);
      const auto origin = static_cast<std::size_t>(static_cast<double>(rows) * (kFirst + step) + 1e-9);
      origins.insert(std::min(origin, rows - kDay));
    }
    for (const std::size_t origin : origins)
      if (origin >= 2 * kWeek) cases.push_back({.series = i, .known = origin, .origin = origin, .horizon = kDay});
  }
  return cases;
}

std::vector<Case> hourly_cases(std::span<const Recording> recordings) {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < recordings.size(); ++i)
    cases.push_back({.series = i, .known = recordings[i].series.size(), .origin = 0, .horizon = 48});
  return cases;
}

std::size_t earliest(std::span<const Case> cases) {
  const auto least = std::ranges::min_element(cases, {}, &Case::known);
  return least == cases.end() ? 0 : least->known;
}

}  // namespace foreflow::backtest
