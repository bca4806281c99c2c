// SPDX-License-Identifier: Apache-2.0
// Theta: simple exponential smoothing of a line bent by theta, plus its share of the straight line.
// Place: predictor/models. Sources: Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah 2003; Fiorucci et al. 2016
// (the optimised and the dynamic optimised model in their state space form).
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

enum class ThetaKind {
  kStandard,   // theta = 2; smoothing estimated without the line, as R's thetaf
  kOptimised,  // theta estimated; one straight line through the whole series
  kDynamic,    // theta estimated; at each point the line through the points so far
};

struct ThetaFit {
  ThetaKind kind = ThetaKind::kStandard;
  double theta = 2, alpha = .5, level = 0;  // level before the first point
  double intercept = 0, slope = 0;          // of the whole series' line; not used by kDynamic
  double mean_square = 0;                   // of the one-step errors that were minimised
  std::vector<double> season;               // factors of the phases from the first point on; empty without a season
};

// z: NaN = missing, at least 3 known. A season is taken out by classical multiplicative decomposition where the series
// is positive and its autocorrelation at the season is significant at 10 %.
ThetaFit fit_theta(std::span<const double> z, std::size_t season, ThetaKind kind);

// Ready to be stepped from the first point of the series that was fitted.
std::unique_ptr<Recursion> theta_recursion(const ThetaFit& fit);

class Theta final : public PathModel {
 public:
  explicit Theta(ThetaKind kind, Scale scale = Scale::kRaw);

  std::size_t needs(std::size_t) const override { return 4; }
  std::size_t most_points(std::size_t) const override { return 2'016; }
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  ThetaKind kind_;
};

}  // namespace foreflow::predictor
