// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/naive.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace foreflow::predictor {
namespace {

const char* family(NaiveKind kind) {
  switch (kind) {
    case NaiveKind::kSeasonal:
      return "seasonal_naive";
    case NaiveKind::kDrift:
      return "drift";
    case NaiveKind::kLast:
      break;
  }
  return "naive";
}

// The value `lag` points ago, plus a slope that is the mean difference of all points so far.
class Repeating final : public Recursion {
 public:
  Repeating(std::size_t lag, bool has_slope) : newest_(lag, 0.0), has_slope_(has_slope) {}

  void step(double z) override {
    const double known = std::isnan(z) ? next(*this) : z;
    if (!std::isnan(z)) {
      if (!started_) {
        std::ranges::fill(newest_, z);
        first_ = z;
        started_ = true;
      }
      last_ = z;
      span_ = steps_;
    }
    if (started_) ++steps_;
    newest_[at_] = known;
    at_ = (at_ + 1) % newest_.size();
  }

  void ahead(std::span<double> path) const override {
    const double slope = has_slope_ && span_ > 0 ? (last_ - first_) / static_cast<double>(span_) : 0;
    for (std::size_t h = 0; h < path.size(); ++h)
      path[h] = newest_[(at_ + h) % newest_.size()] + slope * static_cast<double>(h + 1);
  }

  std::size_t warm_up() const override { return newest_.size(); }

 private:
  std::vector<double> newest_;  // ring; at_ is the oldest, which is the next point's forecast
  std::size_t at_ = 0;
  bool has_slope_;
  bool started_ = false;
  double first_ = 0, last_ = 0;
  std::size_t steps_ = 0, span_ = 0;  // points since the first value, and between it and the last
};

}  // namespace

Naive::Naive(NaiveKind kind, Scale scale) : PathModel(std::string(family(kind)) + suffix(scale), scale), kind_(kind) {}

std::unique_ptr<Recursion> Naive::estimate(const Scaled& series) const {
  return std::make_unique<Repeating>(kind_ == NaiveKind::kSeasonal ? series.season : 1, kind_ == NaiveKind::kDrift);
}

std::unique_ptr<Recursion> last_value() { return std::make_unique<Repeating>(1, false); }

}  // namespace foreflow::predictor
