// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/lead_errors.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace foreflow::predictor {
namespace {

constexpr std::size_t kShortPath = 12;
constexpr std::size_t kShortOrigins = 600;
constexpr std::size_t kLongOrigins = 48;
constexpr double kNeighbourhood = 1.2;

std::size_t longest_lead(const SeriesView& series) {
  const std::size_t wanted = std::max<std::size_t>(2 * series.season, 48);
  const std::size_t most = std::max<std::size_t>(series.season, 48);
  return std::clamp<std::size_t>(series.size() / 3, 1, std::min(wanted, most));
}

// 1 2 3 4 5 6 7 8 10 12 14 17 ... : neighbours differ by about a fifth.
std::vector<std::size_t> knots_up_to(std::size_t longest) {
  std::vector<std::size_t> knots;
  for (std::size_t lead = 1; lead < longest;
       lead = std::max(lead + 1, static_cast<std::size_t>(static_cast<double>(lead) * kNeighbourhood)))
    knots.push_back(lead);
  knots.push_back(longest);
  return knots;
}

class Collector {
 public:
  Collector(const SeriesView& series, Scale scale, const std::vector<std::size_t>& knots)
      : series_(series), scale_(scale), knots_(knots), errors_(knots.size()) {}

  void compare(std::size_t origin, std::span<const double> path) {
    const std::size_t end = std::min(path.size(), series_.size() - origin);
    for (std::size_t k = 0; k < knots_.size(); ++k) {
      const auto knot = static_cast<double>(knots_[k]);
      const auto first = static_cast<std::size_t>(std::ceil(knot / kNeighbourhood)) - 1;
      const std::size_t last = std::min(end, static_cast<std::size_t>(knot * kNeighbourhood));
      for (std::size_t h = first; h < last; ++h) {
        const std::size_t i = origin + h;
        if (!series_.is_gap(i))
          errors_[k].push_back({to_scale(scale_, series_.values[i]) - path[h], series_.is_limited(i)});
      }
    }
  }

  std::vector<Quantiles> quantiles() && {
    std::vector<Quantiles> result;
    // A lead that was never compared is like the one before it.
    for (std::vector<Sample>& errors : errors_)
      result.push_back(errors.empty() && !result.empty() ? result.back() : empirical_quantiles(std::move(errors)));
    return result;
  }

 private:
  const SeriesView& series_;
  Scale scale_;
  const std::vector<std::size_t>& knots_;
  std::vector<std::vector<Sample>> errors_;
};

}  // namespace

LeadErrors::LeadErrors(Recursion& recursion, const SeriesView& series, Scale scale)
    : knots_(knots_up_to(longest_lead(series))) {
  Collector collector(series, scale, knots_);
  const std::size_t first = std::min(std::max(recursion.warm_up(), series.size() / 4), series.size());
  const std::size_t steps = series.size() - first;
  const std::size_t often = std::max<std::size_t>(1, steps / kShortOrigins);
  const std::size_t seldom = often * std::max<std::size_t>(1, steps / kLongOrigins / often);
  std::vector<double> path(knots_.back());
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i >= first && (i - first) % often == 0) {
      const bool whole = (i - first) % seldom == 0;
      const auto ahead = std::span(path).first(whole ? path.size() : std::min(kShortPath, path.size()));
      recursion.ahead(ahead);
      collector.compare(i, ahead);
    }
    const double z = to_scale(scale, series.values[i]);
    recursion.step(series.is_limited(i) ? std::max(z, next(recursion)) : z);
  }
  quantiles_ = std::move(collector).quantiles();
}

Quantiles LeadErrors::at(std::size_t lead) const {
  const auto above = std::ranges::lower_bound(knots_, lead + 1);
  if (above == knots_.end()) {
    Quantiles widened = quantiles_.back();
    const double factor = std::sqrt(static_cast<double>(lead + 1) / static_cast<double>(knots_.back()));
    for (std::size_t q = 1; q < widened.size(); ++q) widened[q] = widened[0] + factor * (widened[q] - widened[0]);
    return widened;
  }
  const auto k = static_cast<std::size_t>(above - knots_.begin());
  if (k == 0 || *above == lead + 1) return quantiles_[k];
  const auto low = static_cast<double>(knots_[k - 1]), high = static_cast<double>(knots_[k]);
  const double share = (static_cast<double>(lead + 1) - low) / (high - low);
  Quantiles between{};
  for (std::size_t q = 0; q < between.size(); ++q)
    between[q] = (1 - share) * quantiles_[k - 1][q] + share * quantiles_[k][q];
  return between;
}

}  // namespace foreflow::predictor
