// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/ensemble.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>
#include <utility>

#include "predictor/models/naive.h"

namespace foreflow::predictor {
namespace {

struct Member {
  std::unique_ptr<Recursion> recursion;
  Scale scale;
  std::size_t asleep;  // points before the first one that it models
};

// Of an even number the mean of the two in the middle.
double median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

class Together final : public Recursion {
 public:
  Together(Scale scale, std::vector<Member> members) : scale_(scale), members_(std::move(members)) {}

  void step(double z) override {
    for (Member& member : members_) {
      if (member.asleep > 0) {
        --member.asleep;
      } else {
        member.recursion->step(convert(z, scale_, member.scale));
      }
    }
  }

  void ahead(std::span<double> path) const override {
    std::vector<std::vector<double>> paths;
    for (const Member& member : members_) {
      if (member.asleep > 0) continue;
      member.recursion->ahead(paths.emplace_back(path.size()));
      for (double& z : paths.back()) z = convert(z, member.scale, scale_);
    }
    std::vector<double> column(paths.size());
    for (std::size_t h = 0; h < path.size(); ++h) {
      for (std::size_t m = 0; m < paths.size(); ++m) column[m] = paths[m][h];
      path[h] = column.empty() ? 0 : median(column);
    }
  }

  std::size_t warm_up() const override {
    std::size_t longest = 0;
    for (const Member& member : members_) longest = std::max(longest, member.asleep + member.recursion->warm_up());
    return longest;
  }

 private:
  // Demand is not negative; a member's path may be.
  static double convert(double z, Scale from, Scale to) {
    return from == to || std::isnan(z) ? z : to_scale(to, std::max(from_scale(from, z), 0.0));
  }

  Scale scale_;
  std::vector<Member> members_;
};

}  // namespace

Ensemble::Ensemble(std::string name, Scale scale, PathModels members)
    : PathModel(std::move(name), scale), members_(std::move(members)) {
  assert(!members_.empty());
}

std::unique_ptr<Recursion> Ensemble::estimate(const Scaled& series) const {
  std::vector<Member> members;
  for (const std::unique_ptr<PathModel>& member : members_) {
    Scaled converted = series.last(member->most_points(series.season));
    if (converted.known < member->needs(series.season)) continue;
    const std::size_t asleep = series.z.size() - converted.z.size();
    if (member->scale() != scale())
      for (double& z : converted.z)
        if (!std::isnan(z)) z = to_scale(member->scale(), from_scale(scale(), z));
    members.push_back({member->estimate(converted), member->scale(), asleep});
  }
  return members.empty() ? last_value() : std::make_unique<Together>(scale(), std::move(members));
}

}  // namespace foreflow::predictor
