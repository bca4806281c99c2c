// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/lstm_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace foreflow::predictor {
namespace {

using Matrix = LstmNet::Matrix;
using Vector = LstmNet::Vector;

class Adam {
 public:
  explicit Adam(Eigen::Index size) : mean_(Vector::Zero(size)), square_(Vector::Zero(size)) {}

  void step(Vector& parameters, const Vector& gradient, double rate) {
    constexpr float kMean = .9F, kSquare = .999F, kLeast = 1e-8F;
    mean_ = kMean * mean_ + (1 - kMean) * gradient;
    square_ = kSquare * square_ + (1 - kSquare) * gradient.cwiseAbs2();
    ++steps_;
    const auto corrected =
        static_cast<float>(rate * std::sqrt(1 - std::pow(kSquare, steps_)) / (1 - std::pow(kMean, steps_)));
    parameters.array() -= corrected * mean_.array() / (square_.array().sqrt() + kLeast);
  }

 private:
  Vector mean_;
  Vector square_;
  int steps_ = 0;
};

struct Batch {
  Matrix rows;
  Vector targets;
};

Batch gather(const TrainingRows& rows, std::span<const std::size_t> chosen, const Standard& standard) {
  std::vector<float> values;
  values.reserve(chosen.size() * rows.features);
  Vector targets(static_cast<Eigen::Index>(chosen.size()));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto first = rows.values.begin() + static_cast<std::ptrdiff_t>(chosen[i] * rows.features);
    values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(rows.features));
    targets[static_cast<Eigen::Index>(i)] = rows.targets[chosen[i]];
  }
  return {standard.apply(values), std::move(targets)};
}

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

// Calls `work` with the places of each batch in turn.
template <typename Work>
void each_batch(std::span<const std::size_t> order, std::size_t size, const Work& work) {
  for (std::size_t first = 0; first < order.size(); first += size)
    work(order.subspan(first, std::min(size, order.size() - first)));
}

double loss_on(const LstmNet& network, const TrainingRows& rows, const Standard& standard, std::size_t batch) {
  double sum = 0;
  Vector unused;
  each_batch(in_order(rows.size()), batch, [&](std::span<const std::size_t> chosen) {
    const Batch seen = gather(rows, chosen, standard);
    sum += static_cast<double>(network.loss(seen.rows, seen.targets, kQuantiles, unused)) *
           static_cast<double>(chosen.size());
  });
  return sum / static_cast<double>(rows.size());
}

}  // namespace

Matrix Standard::apply(std::span<const float> values) const {
  const Eigen::Map<const Matrix> raw(values.data(), mean.size(),
                                     static_cast<Eigen::Index>(values.size()) / mean.size());
  return (((raw.colwise() - mean).array().colwise() * scale.array()).min(kFurthest)).max(-kFurthest);
}

Standard standard_of(const TrainingRows& rows) {
  const Eigen::Map<const Matrix> raw(rows.values.data(), static_cast<Eigen::Index>(rows.features),
                                     static_cast<Eigen::Index>(rows.size()));
  constexpr float kConstant = 1e-6F;
  Standard standard;
  standard.mean = raw.rowwise().mean();
  const Vector deviation = ((raw.colwise() - standard.mean).cwiseAbs2().rowwise().mean()).cwiseSqrt();
  standard.scale = (deviation.array() > kConstant).select(deviation.array().max(kConstant).inverse(), 0.F);
  return standard;
}

LstmNet learn(const TrainingRows& rows, const TrainingRows& held_out, const Standard& standard, const LstmPlan& plan) {
  LstmNet network(plan.shape, plan.seed);
  Adam adam(network.parameters().size());
  std::mt19937_64 random(plan.seed);
  std::vector<std::size_t> order = in_order(rows.size());
  Vector gradient;
  Vector best = network.parameters();
  double least = std::numeric_limits<double>::infinity();
  double rate = plan.learning_rate;
  for (std::size_t epoch = 0, idle = 0; epoch < plan.epochs && idle < plan.patience; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    each_batch(order, plan.batch, [&](std::span<const std::size_t> chosen) {
      const Batch batch = gather(rows, chosen, standard);
      network.loss(batch.rows, batch.targets, kQuantiles, gradient);
      adam.step(network.parameters(), gradient, rate);
    });
    const double loss = loss_on(network, held_out.size() > 0 ? held_out : rows, standard, plan.batch);
    if (loss < least) {
      least = loss;
      best = network.parameters();
      idle = 0;
    } else {
      ++idle;
      rate /= 2;
    }
  }
  network.parameters() = best;
  return network;
}

}  // namespace foreflow::predictor
