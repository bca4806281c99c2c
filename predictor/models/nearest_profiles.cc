// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/nearest_profiles.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "predictor/features/whole.h"
#include "predictor/models/empirical.h"
#include "predictor/models/path_model.h"
#include "predictor/series/resample.h"

namespace foreflow::predictor {

std::vector<ProfileMatch> nearest_profiles(std::span<const double> query, std::span<const std::vector<double>> fleet,
                                           std::size_t most, std::size_t followed) {
  std::vector<ProfileMatch> all;
  for (std::size_t s = 0; s < fleet.size(); ++s) {
    if (fleet[s].size() < followed) continue;
    const auto searched = std::span(fleet[s]).first(fleet[s].size() - followed);
    for (const Match& match : nearest(distance_profile(query, searched), most, std::max<std::size_t>(query.size(), 1)))
      all.push_back({s, match});
  }
  std::ranges::stable_sort(all, {}, [](const ProfileMatch& found) { return found.match.distance; });
  all.resize(std::min(all.size(), most));
  return all;
}

QuantileForecast cold_start(const SeriesView& young, std::span<const std::vector<double>> fleet, std::size_t horizon,
                            std::size_t most) {
  const std::vector<double> own = interpolated(log1p(young).view());
  const auto query = std::span(own).last(std::min(own.size(), kLongestQuery));
  const std::vector<ProfileMatch> found = nearest_profiles(query, fleet, most, horizon);
  std::vector<std::vector<Sample>> leads(horizon);
  double peak = recent_max(young, young.size());
  for (const auto& [series, match] : found) {
    const std::span<const double> other = fleet[series];
    const double shift = level_of(query).mean - level_of(other.subspan(match.start, query.size())).mean;
    const auto continuation = other.subspan(match.start + query.size(), horizon);
    for (std::size_t h = 0; h < horizon; ++h) {
      leads[h].push_back({std::expm1(continuation[h] + shift), false});
      peak = std::max(peak, std::expm1(continuation[h]));
    }
  }
  std::vector<Quantiles> rows;
  rows.reserve(horizon);
  for (std::vector<Sample>& lead : leads) {
    for (Sample& sample : lead) sample.value = std::clamp(sample.value, 0., kPlausible * peak);
    rows.push_back(empirical_quantiles(std::move(lead)));
  }
  return finish(rows, 0, "nearest_profiles");
}

}  // namespace foreflow::predictor
