// SPDX-License-Identifier: Apache-2.0
#include "predictor/optimize/bfgs.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr double kSufficient = 1e-4;  // share of the promised decrease that a step must bring
constexpr int kHalvings = 30;
constexpr double kLongestStep = 2;  // the first direction is a bare gradient, of any length

class Search {
 public:
  Search(const Objective& objective, const Eigen::VectorXd& start, const BfgsLimits& limits)
      : objective_(objective), limits_(limits), at_(start), inverse_(identity()) {
    value_ = evaluate(at_);
    gradient_ = slope();
  }

  Minimum run() {
    for (std::size_t i = 0; i < limits_.iterations && !converged_; ++i) iterate();
    return {at_, value_, evaluations_, converged_};
  }

 private:
  Eigen::MatrixXd identity() const { return Eigen::MatrixXd::Identity(at_.size(), at_.size()); }

  double evaluate(const Eigen::VectorXd& x) {
    ++evaluations_;
    return objective_(x);
  }

  // One-sided, or flat, where the other side is not defined.
  Eigen::VectorXd slope() {
    Eigen::VectorXd gradient(at_.size());
    Eigen::VectorXd x = at_;
    for (Eigen::Index i = 0; i < at_.size(); ++i) {
      const double step = limits_.difference * std::max(1.0, std::abs(at_[i]));
      x[i] = at_[i] + step;
      const double above = evaluate(x);
      x[i] = at_[i] - step;
      const double below = evaluate(x);
      x[i] = at_[i];
      gradient[i] = std::isfinite(above) && std::isfinite(below) ? (above - below) / (2 * step)
                    : std::isfinite(above)                       ? (above - value_) / step
                    : std::isfinite(below)                       ? (value_ - below) / step
                                                                 : 0;
    }
    return gradient;
  }

  void iterate() {
    Eigen::VectorXd direction = -inverse_ * gradient_;
    if (direction.dot(gradient_) >= 0) {
      inverse_ = identity();
      direction = -gradient_;
    }
    const double length = direction.lpNorm<Eigen::Infinity>();
    if (!(length > 0)) {
      converged_ = true;
      return;
    }
    if (length > kLongestStep) direction *= kLongestStep / length;
    const Eigen::VectorXd before = at_, gradient_before = gradient_;
    const double value_before = value_;
    if (!descend(direction)) {
      // Along the bare gradient there is nothing to gain either: this is the minimum, as far as differences can tell.
      converged_ = fresh_;
      inverse_ = identity();
      fresh_ = true;
      return;
    }
    gradient_ = slope();
    converged_ = value_before - value_ <= limits_.tolerance * (std::abs(value_) + limits_.tolerance);
    learn(at_ - before, gradient_ - gradient_before);
  }

  bool descend(const Eigen::VectorXd& direction) {
    const double promised = direction.dot(gradient_);
    double step = 1;
    for (int i = 0; i < kHalvings; ++i, step /= 2) {
      const Eigen::VectorXd x = at_ + step * direction;
      const double value = evaluate(x);
      if (!(value <= value_ + kSufficient * step * promised)) continue;
      if (!(value < value_)) return false;
      at_ = x;
      value_ = value;
      return true;
    }
    return false;
  }

  // The update of the inverse Hessian.
  void learn(const Eigen::VectorXd& step, const Eigen::VectorXd& change) {
    const double curvature = step.dot(change);
    if (!(curvature > 1e-12 * step.norm() * change.norm())) return;
    if (fresh_) inverse_ = identity() * (curvature / change.squaredNorm());
    fresh_ = false;
    const Eigen::VectorXd turned = inverse_ * change;
    inverse_ += (1 + change.dot(turned) / curvature) / curvature * step * step.transpose() -
                (turned * step.transpose() + step * turned.transpose()) / curvature;
  }

  const Objective& objective_;
  BfgsLimits limits_;
  Eigen::VectorXd at_, gradient_;
  double value_ = 0;
  Eigen::MatrixXd inverse_;
  bool fresh_ = true;  // the inverse is still (a multiple of) the identity
  bool converged_ = false;
  std::size_t evaluations_ = 0;
};

}  // namespace

Minimum bfgs(const Objective& objective, const Eigen::VectorXd& start, const BfgsLimits& limits) {
  return start.size() == 0 ? Minimum{start, objective(start), 1, true} : Search(objective, start, limits).run();
}

}  // namespace foreflow::predictor
