// SPDX-License-Identifier: Apache-2.0
// Extreme values: the upper quantiles of a series from the shape of its tail rather than from its few largest values.
// Place: predictor/models. Source: peaks over a threshold (Pickands 1975), generalised Pareto distribution fitted by
// probability-weighted moments (Hosking & Wallis 1987), on log1p of demand, where tails of demand are light enough.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "predictor/models/model.h"

namespace foreflow::predictor {

// P(X > x) = (1 + shape * x / scale)^(-1 / shape), or exp(-x / scale) where the shape is 0; x >= 0.
struct ParetoTail {
  double shape = 0;
  double scale = 0;
  // The value exceeded with `probability`, in (0, 1].
  double exceeded_with(double probability) const;
};

// `excesses`: over a threshold, in rising order, none negative. nullopt for fewer than kFewestExcesses or where all are
// equal. The shape is kept within [-.5, .5], where the moments' estimates are sound.
std::optional<ParetoTail> fit_tail(std::span<const double> excesses);
inline constexpr std::size_t kFewestExcesses = 10;

// The same quantiles for every lead: those of the last 28 periods up to the threshold (.9), above it the tail's. Never
// above kMostToPeak times the highest value of these periods. Limited values count as they are: lower bounds.
class TailModel final : public Model {
 public:
  std::string name() const override { return "tail"; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override;

  static constexpr double kMostToPeak = 3;
};

}  // namespace foreflow::predictor
