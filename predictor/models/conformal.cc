// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/conformal.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr double kOutlier = 3;  // a residual counts so many spreads at most
// Where quantiles cross, the others give way to this one (.95). Sorting would lift it as often as they cross.
constexpr std::size_t kAnchor = 2;
constexpr double kLeastSpread = 1e-3;  // a series that has always been foreseen exactly can still be corrected

// The scale on which offsets are added; docs/BENCHMARKS.md has what others cost.
constexpr double kPower = .1;
double bent(double demand) { return (std::pow(1 + demand, kPower) - 1) / kPower; }
double unbent(double z) { return std::pow(std::max(1 + kPower * z, 0.0), 1 / kPower) - 1; }

}  // namespace

double OnlineConformal::moved(const Quantiles& row, std::size_t q) const {
  const double told = std::max(row[q], 0.0);
  if (offset_[q] == 0) return told;
  return std::clamp(unbent(bent(told) + offset_[q]), 0.0, std::max(told, peak_));
}

Quantiles OnlineConformal::correct(const Quantiles& row) const {
  Quantiles corrected{};
  for (std::size_t q = 0; q < row.size(); ++q) corrected[q] = moved(row, q);
  for (std::size_t q = kAnchor; q-- > 0;) corrected[q] = std::min(corrected[q], corrected[q + 1]);
  for (std::size_t q = kAnchor + 1; q < corrected.size(); ++q) corrected[q] = std::max(corrected[q], corrected[q - 1]);
  return corrected;
}

void OnlineConformal::learn(const Quantiles& row, double actual, bool limited) {
  if (!std::isfinite(actual) || actual < 0) return;
  if (limited && actual <= moved(row, 0)) return;
  const double residual = std::abs(bent(actual) - bent(std::max(row[0], 0.0)));
  ++points_;
  const double share = std::max(1 / plan_.memory, 1 / static_cast<double>(points_));
  const double counted = points_ == 1 ? residual : std::min(residual, kOutlier * spread_ + kLeastSpread);
  spread_ += share * (counted - spread_);
  const double spread = std::max(spread_, kLeastSpread);
  const double step = spread * std::max(plan_.first_step / std::sqrt(static_cast<double>(points_)), plan_.least_step);
  for (std::size_t q = 0; q < row.size(); ++q) {
    // Against its own value, not the one that came to its place in the order: else two that cross drive each other on.
    const bool above = actual > moved(row, q);
    if (limited && !above) continue;
    offset_[q] += step * ((above ? 1.0 : 0.0) - (1 - kQuantiles[q]));
    offset_[q] = std::clamp(offset_[q], -plan_.furthest * spread, plan_.furthest * spread);
  }
  peak_ = std::max(peak_, actual);
}

Quantiles LeadConformal::correct(const Quantiles& row) {
  waiting_.push_back(row);
  return correction_.correct(row);
}

Quantiles LeadConformal::correct_again(const Quantiles& row) {
  waiting_.back() = row;
  return correction_.correct(row);
}

void LeadConformal::arrive(double actual, bool limited) {
  if (waiting_.size() < lead_) return;
  correction_.learn(waiting_.front(), actual, limited);
  waiting_.pop_front();
}

}  // namespace foreflow::predictor
