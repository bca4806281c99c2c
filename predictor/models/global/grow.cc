// SPDX-License-Identifier: Apache-2.0
// The training half of QuantileTrees.
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "predictor/models/global/quantile_trees.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kBins = 64;
constexpr std::size_t kLanes = 8;  // 6 gradients, the weight and the count
constexpr std::size_t kWeight = kLanes - 2, kCount = kLanes - 1;

struct alignas(32) Lanes {
  std::array<float, kLanes> v{};
  void add(const Lanes& other) {
    for (std::size_t i = 0; i < kLanes; ++i) v[i] += other.v[i];
  }
  void subtract(const Lanes& other) {
    for (std::size_t i = 0; i < kLanes; ++i) v[i] -= other.v[i];
  }
};

using Histogram = std::vector<Lanes>;  // features x kBins

// Upper ends of the bins of one feature, at equal shares of its values.
std::vector<float> bin_ends(const TrainingRows& rows, std::size_t feature) {
  constexpr std::size_t kLookedAt = 20'000;
  std::vector<float> values;
  const std::size_t stride = std::max<std::size_t>(rows.size() / kLookedAt, 1);
  for (std::size_t i = 0; i < rows.size(); i += stride) values.push_back(rows.values[i * rows.features + feature]);
  std::sort(values.begin(), values.end());
  std::vector<float> ends;
  for (std::size_t b = 1; b < kBins; ++b) {
    const float end = values[b * (values.size() - 1) / kBins];
    if ((ends.empty() || end > ends.back()) && end < values.back()) ends.push_back(end);
  }
  return ends;
}

struct Weighted {
  float value;
  float weight;
};

// The smallest value up to which the share `tau` of the weight lies.
float quantile_of(std::vector<Weighted>& values, double tau) {
  double total = 0;
  for (const Weighted& value : values) total += value.weight;
  double wanted = tau * total;
  auto begin = values.begin();
  auto end = values.end();
  while (end - begin > 1) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
    double below = 0;
    for (auto i = begin; i < middle; ++i) below += i->weight;
    if (below >= wanted) {
      end = middle;
    } else {
      wanted -= below;
      begin = middle;
    }
  }
  return begin->value;
}

}  // namespace

class TreeGrower {
 public:
  TreeGrower(const TrainingRows& rows, const BoostingPlan& plan)
      : rows_(rows), plan_(plan), random_(plan.seed), reached_(rows.size() * plan.quantiles.size()) {
    for (std::size_t f = 0; f < rows.features; ++f) ends_.push_back(bin_ends(rows, f));
    bin();
    for (const double tau : plan.quantiles) {
      std::vector<Weighted> targets;
      for (const float target : rows.targets) targets.push_back({target, 1});
      made_.start_.push_back(quantile_of(targets, tau));
      weight_.push_back(static_cast<float>(1 / (tau * (1 - tau))));
    }
    made_.features_ = rows.features;
    for (std::size_t i = 0; i < reached_.size(); ++i) reached_[i] = made_.start_[i % count()];
    gradient_.resize(rows.size());
  }

  QuantileTrees grow() {
    for (std::size_t i = 0; i < plan_.trees; ++i) grow_tree();
    return std::move(made_);
  }

 private:
  struct Split {
    float gain = 0;
    std::size_t feature = 0;
    std::size_t bin = 0;
  };
  struct Leaf {
    std::size_t begin = 0;  // in drawn_
    std::size_t end = 0;
    int parent = -1;  // node whose child it is, and which one
    bool is_right = false;
    Histogram histogram;
    Split best;
  };

  std::size_t count() const { return plan_.quantiles.size(); }

  float weight_of(std::uint32_t row) const {
    constexpr double kMost = 5;  // in the exponent: a burst must not outweigh everything
    if (plan_.tilt == 0) return 1;
    const std::size_t q = count() < 2 ? 0 : count() - 2;
    const double reached = std::clamp<double>(reached_[row * count() + q], -kMost, kMost);
    return static_cast<float>(std::exp(plan_.tilt * reached));
  }

  void bin() {
    bins_.resize(rows_.values.size());
    for (std::size_t i = 0; i < rows_.size(); ++i)
      for (std::size_t f = 0; f < rows_.features; ++f) {
        const float value = rows_.values[i * rows_.features + f];
        const auto place = std::lower_bound(ends_[f].begin(), ends_[f].end(), value);
        bins_[i * rows_.features + f] = static_cast<std::uint8_t>(place - ends_[f].begin());
      }
  }

  void draw() {
    drawn_.clear();
    std::bernoulli_distribution taken(plan_.row_share);
    for (std::uint32_t i = 0; i < rows_.size(); ++i)
      if (taken(random_)) drawn_.push_back(i);
    if (drawn_.empty()) drawn_.push_back(0);
    looked_at_.resize(rows_.features);
    std::iota(looked_at_.begin(), looked_at_.end(), std::size_t{0});
    std::shuffle(looked_at_.begin(), looked_at_.end(), random_);
    const auto kept = static_cast<std::size_t>(std::ceil(plan_.feature_share * static_cast<double>(rows_.features)));
    looked_at_.resize(std::clamp<std::size_t>(kept, 1, rows_.features));
    std::sort(looked_at_.begin(), looked_at_.end());
  }

  void compute_gradients() {
    for (const std::uint32_t i : drawn_) {
      Lanes& gradient = gradient_[i];
      const float weight = weight_of(i);
      for (std::size_t q = 0; q < count(); ++q) {
        const bool above = rows_.targets[i] > reached_[i * count() + q];
        gradient.v[q] = weight * static_cast<float>(above ? plan_.quantiles[q] : plan_.quantiles[q] - 1);
      }
      gradient.v[kWeight] = weight;
      gradient.v[kCount] = 1;
    }
  }

  void fill(Leaf& leaf) const {
    leaf.histogram.assign(looked_at_.size() * kBins, Lanes{});
    for (std::size_t k = leaf.begin; k < leaf.end; ++k) {
      const std::uint8_t* const bins = &bins_[drawn_[k] * rows_.features];
      const Lanes& gradient = gradient_[drawn_[k]];
      for (std::size_t f = 0; f < looked_at_.size(); ++f) leaf.histogram[f * kBins + bins[looked_at_[f]]].add(gradient);
    }
  }

  float score(const Lanes& sum) const {
    float score = 0;
    for (std::size_t q = 0; q < count(); ++q) score += weight_[q] * sum.v[q] * sum.v[q];
    return score / std::max(sum.v[kWeight], 1e-6F);
  }

  void find_split(Leaf& leaf) const {
    leaf.best = {};
    const auto least = static_cast<float>(plan_.least_rows);
    Lanes total;
    for (std::size_t b = 0; b < kBins; ++b) total.add(leaf.histogram[b]);
    if (total.v[kCount] < 2 * least) return;
    const float whole = score(total);
    for (std::size_t f = 0; f < looked_at_.size(); ++f) {
      Lanes left;
      for (std::size_t b = 0; b < ends_[looked_at_[f]].size(); ++b) {
        left.add(leaf.histogram[f * kBins + b]);
        if (left.v[kCount] < least) continue;
        if (total.v[kCount] - left.v[kCount] < least) break;
        Lanes right = total;
        right.subtract(left);
        const float gain = score(left) + score(right) - whole;
        if (gain > leaf.best.gain) leaf.best = {gain, f, b};
      }
    }
  }

  void grow_tree() {
    draw();
    compute_gradients();
    std::vector<Leaf> leaves(1);
    leaves[0].end = drawn_.size();
    fill(leaves[0]);
    find_split(leaves[0]);
    const auto first_node = static_cast<std::uint32_t>(made_.nodes_.size());
    while (leaves.size() < plan_.leaves) {
      const auto best = std::ranges::max_element(leaves, {}, [](const Leaf& leaf) { return leaf.best.gain; });
      if (best->best.gain <= 0) break;
      const auto chosen = static_cast<std::size_t>(best - leaves.begin());
      split(leaves, chosen, first_node);
    }
    finish(leaves, first_node);
  }

  void split(std::vector<Leaf>& leaves, std::size_t chosen, std::uint32_t first_node) {
    Leaf parent = std::move(leaves[chosen]);
    const std::size_t feature = looked_at_[parent.best.feature];
    const auto middle = std::partition(drawn_.begin() + static_cast<std::ptrdiff_t>(parent.begin),
                                       drawn_.begin() + static_cast<std::ptrdiff_t>(parent.end), [&](std::uint32_t i) {
                                         return bins_[i * rows_.features + feature] <= parent.best.bin;
                                       });
    const auto node = static_cast<int>(made_.nodes_.size() - first_node);
    made_.nodes_.push_back({ends_[feature][parent.best.bin], static_cast<std::int16_t>(feature), 0, 0});
    link(parent, first_node, node);
    const auto at = static_cast<std::size_t>(middle - drawn_.begin());
    Leaf left{.begin = parent.begin, .end = at, .parent = node, .is_right = false, .histogram = {}, .best = {}};
    Leaf right{.begin = at, .end = parent.end, .parent = node, .is_right = true, .histogram = {}, .best = {}};
    Leaf& smaller = left.end - left.begin < right.end - right.begin ? left : right;
    Leaf& larger = &smaller == &left ? right : left;
    fill(smaller);
    larger.histogram = std::move(parent.histogram);
    for (std::size_t i = 0; i < larger.histogram.size(); ++i) larger.histogram[i].subtract(smaller.histogram[i]);
    find_split(left);
    find_split(right);
    leaves[chosen] = std::move(left);
    leaves.push_back(std::move(right));
  }

  void link(const Leaf& leaf, std::uint32_t first_node, int child) {
    if (leaf.parent < 0) return;
    auto& node = made_.nodes_[first_node + static_cast<std::size_t>(leaf.parent)];
    (leaf.is_right ? node.right : node.left) = static_cast<std::int16_t>(child);
  }

  // Values of the leaves, and what every row has reached by them.
  void finish(const std::vector<Leaf>& leaves, std::uint32_t first_node) {
    const auto first_leaf = static_cast<std::uint32_t>(made_.steps_.size() / count());
    for (std::size_t l = 0; l < leaves.size(); ++l) {
      link(leaves[l], first_node, ~static_cast<int>(l));
      std::vector<Weighted> residuals(leaves[l].end - leaves[l].begin);
      for (std::size_t q = 0; q < count(); ++q) {
        for (std::size_t k = 0; k < residuals.size(); ++k) {
          const std::uint32_t row = drawn_[leaves[l].begin + k];
          residuals[k] = {rows_.targets[row] - reached_[row * count() + q], gradient_[row].v[kWeight]};
        }
        made_.steps_.push_back(static_cast<float>(plan_.learning_rate) * quantile_of(residuals, plan_.quantiles[q]));
      }
    }
    made_.trees_.push_back({first_node, static_cast<std::uint32_t>(made_.nodes_.size()) - first_node, first_leaf});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::span<const float> row(&rows_.values[i * rows_.features], rows_.features);
      const float* const steps = &made_.steps_[made_.leaf(made_.trees_.back(), row) * count()];
      for (std::size_t q = 0; q < count(); ++q) reached_[i * count() + q] += steps[q];
    }
  }

  const TrainingRows& rows_;
  const BoostingPlan& plan_;
  std::mt19937_64 random_;
  std::vector<std::vector<float>> ends_;
  std::vector<std::uint8_t> bins_;
  std::vector<Lanes> gradient_;
  std::vector<float> weight_;  // of each quantile's gradient in a gain: one over its variance
  std::vector<float> reached_;
  std::vector<std::uint32_t> drawn_;
  std::vector<std::size_t> looked_at_;
  QuantileTrees made_;
};

QuantileTrees QuantileTrees::train(const TrainingRows& rows, const BoostingPlan& plan) {
  assert(rows.size() > 0 && !plan.quantiles.empty() && plan.quantiles.size() <= kWeight);
  return TreeGrower(rows, plan).grow();
}

}  // namespace foreflow::predictor
