// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/pattern_match.h"

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "predictor/match/rolling_profile.h"

namespace foreflow::predictor {
namespace {

class Continuing final : public Recursion {
 public:
  Continuing(const PatternMatchSpec& spec, std::size_t season)
      : window_(spec.window), matches_(spec.matches), profile_(spec.window, spec.seasons * season) {}

  void step(double z) override { profile_.push(std::isnan(z) ? next(*this) : z); }

  void ahead(std::span<double> path) const override {
    const std::span<const double> values = profile_.values();
    const std::vector<Match> found = nearest(profile_.distances(), matches_, window_);
    if (found.empty()) {
      std::ranges::fill(path, values.empty() ? 0 : values.back());
      return;
    }
    std::ranges::fill(path, 0);
    const double floor = .2 * std::sqrt(static_cast<double>(window_));
    double weights = 0;
    for (const Match& match : found) weights += 1 / (match.distance + floor);
    for (const Match& match : found) {
      const double weight = 1 / (match.distance + floor) / weights;
      const double shift = profile_.query().mean - profile_.level(match.start).mean;
      const std::size_t after = match.start + window_;
      for (std::size_t h = 0; h < path.size(); ++h)
        path[h] += weight * (shift + values[std::min(after + h, values.size() - 1)]);
    }
  }

  std::size_t warm_up() const override { return 4 * window_; }

 private:
  std::size_t window_;
  std::size_t matches_;
  RollingProfile profile_;
};

}  // namespace

PatternMatch::PatternMatch(const PatternMatchSpec& spec)
    : PathModel(std::string("pattern_match") + suffix(spec.scale), spec.scale), spec_(spec) {}

std::unique_ptr<Recursion> PatternMatch::estimate(const Scaled& series) const {
  return std::make_unique<Continuing>(spec_, series.season);
}

}  // namespace foreflow::predictor
