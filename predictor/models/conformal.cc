// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/conformal.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr double kMemory = 288;        // points that the spread is a mean of
constexpr double kLeastSpread = 1e-3;  // a series that has always been foreseen exactly can still be corrected

}  // namespace

Quantiles OnlineConformal::correct(const Quantiles& row) const {
  Quantiles moved{};
  for (std::size_t q = 0; q < row.size(); ++q)
    moved[q] = std::max(std::expm1(std::log1p(std::max(row[q], 0.0)) + offset_[q]), 0.0);
  std::ranges::sort(moved);
  return moved;
}

void OnlineConformal::learn(const Quantiles& row, double actual, bool limited) {
  if (!std::isfinite(actual) || actual < 0) return;
  const Quantiles told = correct(row);
  const double residual = std::abs(std::log1p(actual) - std::log1p(std::max(row[0], 0.0)));
  if (limited && actual <= told[0]) return;
  ++points_;
  const double share = std::max(1 / kMemory, 1 / static_cast<double>(points_));
  spread_ += share * (std::min(residual, points_ == 1 ? residual : 10 * spread_ + kLeastSpread) - spread_);
  const double spread = std::max(spread_, kLeastSpread);
  const double step = spread * std::max(plan_.first_step / std::sqrt(static_cast<double>(points_)), plan_.least_step);
  for (std::size_t q = 0; q < row.size(); ++q) {
    const bool above = actual > told[q];
    if (limited && !above) continue;
    offset_[q] += step * ((above ? 1.0 : 0.0) - (1 - kQuantiles[q]));
    offset_[q] = std::clamp(offset_[q], -plan_.furthest * spread, plan_.furthest * spread);
  }
}

Quantiles LeadConformal::correct(const Quantiles& row) {
  waiting_.push_back(row);
  return correction_.correct(row);
}

void LeadConformal::arrive(double actual, bool limited) {
  if (waiting_.size() < lead_) return;
  correction_.learn(waiting_.front(), actual, limited);
  waiting_.pop_front();
}

}  // namespace foreflow::predictor
