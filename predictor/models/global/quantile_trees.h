// SPDX-License-Identifier: Apache-2.0
// Boosted trees that answer several quantiles at once.
// Place: predictor/models/global; knows rows of numbers, not series.
// Source: gradient boosting (Friedman 2001) with histograms of binned features and best-first growth (Ke et al. 2017);
// one tree serves all quantiles: a split is judged by the gradients of all of them, a leaf holds one step for each,
// namely the quantile of what is left of the residuals there.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow::predictor {

// rows x features, row by row, and one target per row. Everything finite.
struct TrainingRows {
  std::size_t features = 0;
  std::vector<float> values;
  std::vector<float> targets;
  std::size_t size() const { return targets.size(); }
};

struct BoostingPlan {
  std::vector<double> quantiles;  // rising, at most 6
  std::size_t trees = 150;
  std::size_t leaves = 24;
  double learning_rate = .1;
  std::size_t least_rows = 200;  // in a leaf
  double row_share = .5;         // of the rows, drawn anew for each tree
  double feature_share = .5;     // of the features, drawn anew for each tree
  double tilt = 0;               // a row counts exp(tilt * what its second highest quantile has reached)
  std::uint64_t seed = 1;
};

// Thread safety: immutable.
class QuantileTrees {
 public:
  // `rows` must not be empty. The same rows and plan give the same trees.
  static QuantileTrees train(const TrainingRows& rows, const BoostingPlan& plan);

  std::size_t quantiles() const { return start_.size(); }
  std::size_t features() const { return features_; }
  // One row of features to one value per quantile. The values need not rise: the caller sorts them.
  void predict(std::span<const float> row, std::span<float> out) const;

  void save(std::string& bytes) const;
  // Takes what save() wrote off the front of `bytes`. kMalformed when it is damaged.
  static Result<QuantileTrees> load(std::string_view& bytes);

 private:
  friend class TreeGrower;
  // An inner node goes left when the feature is at most `threshold`. A child below 0 is leaf ~child.
  struct Node {
    float threshold = 0;
    std::int16_t feature = 0;
    std::int16_t left = 0;
    std::int16_t right = 0;
  };
  struct Tree {
    std::uint32_t first_node = 0;  // no nodes: a single leaf
    std::uint32_t node_count = 0;
    std::uint32_t first_leaf = 0;
  };
  std::size_t leaf(const Tree& tree, std::span<const float> row) const;

  std::size_t features_ = 0;
  std::vector<float> start_;  // before the first tree, per quantile
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<float> steps_;  // per leaf and quantile
};

}  // namespace foreflow::predictor
