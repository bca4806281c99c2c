// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/nelder_mead.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace foreflow::predictor {
namespace {

struct Vertex {
  Eigen::VectorXd at;
  double value;
};

class Simplex {
 public:
  Simplex(const Objective& objective, const Eigen::VectorXd& start, double step) : objective_(objective) {
    const auto n = static_cast<double>(start.size());
    expansion_ = 1 + 2 / n;
    contraction_ = .75 - 1 / (2 * n);
    shrinkage_ = start.size() == 1 ? .5 : 1 - 1 / n;
    vertices_.push_back(evaluate(start));
    for (Eigen::Index i = 0; i < start.size(); ++i) {
      Eigen::VectorXd other = start;
      other[i] += step;
      vertices_.push_back(evaluate(other));
    }
    sort();
  }

  const Vertex& best() const { return vertices_.front(); }
  std::size_t evaluations() const { return evaluations_; }
  bool is_flat(double tolerance) const {
    const double low = best().value, high = vertices_.back().value;
    return high - low <= tolerance * (std::abs(low) + std::abs(high) + tolerance);
  }

  void move() {
    const Eigen::VectorXd centre = centre_without_worst();
    const Eigen::VectorXd away = centre - vertices_.back().at;
    Vertex reflected = evaluate(centre + away);
    if (reflected.value < best().value) {
      Vertex expanded = evaluate(centre + expansion_ * away);
      replace_worst(expanded.value < reflected.value ? expanded : reflected);
    } else if (reflected.value < vertices_[vertices_.size() - 2].value) {
      replace_worst(reflected);
    } else {
      const bool outside = reflected.value < vertices_.back().value;
      Vertex contracted = evaluate(centre + (outside ? contraction_ : -contraction_) * away);
      if (contracted.value < std::min(reflected.value, vertices_.back().value)) {
        replace_worst(contracted);
      } else {
        shrink();
      }
    }
  }

 private:
  Vertex evaluate(Eigen::VectorXd at) {
    ++evaluations_;
    const double value = objective_(at);
    return {std::move(at), std::isnan(value) ? std::numeric_limits<double>::infinity() : value};
  }

  Eigen::VectorXd centre_without_worst() const {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(best().at.size());
    for (std::size_t i = 0; i + 1 < vertices_.size(); ++i) sum += vertices_[i].at;
    return sum / static_cast<double>(vertices_.size() - 1);
  }

  void replace_worst(Vertex vertex) {
    vertices_.back() = std::move(vertex);
    sort();
  }

  void shrink() {
    for (std::size_t i = 1; i < vertices_.size(); ++i)
      vertices_[i] = evaluate(best().at + shrinkage_ * (vertices_[i].at - best().at));
    sort();
  }

  void sort() { std::ranges::sort(vertices_, {}, &Vertex::value); }

  const Objective& objective_;
  std::vector<Vertex> vertices_;  // best first
  std::size_t evaluations_ = 0;
  double expansion_, contraction_, shrinkage_;
};

}  // namespace

Minimum nelder_mead(const Objective& objective, const Eigen::VectorXd& start, const NelderMeadLimits& limits) {
  if (start.size() == 0) return {start, objective(start), 1, true};
  Simplex simplex(objective, start, limits.first_step);
  bool flat = false;
  while (!(flat = simplex.is_flat(limits.tolerance)) && simplex.evaluations() < limits.evaluations) simplex.move();
  return {simplex.best().at, simplex.best().value, simplex.evaluations(), flat};
}

}  // namespace foreflow::predictor
