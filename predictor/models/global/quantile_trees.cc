// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/quantile_trees.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "predictor/models/global/bytes.h"

namespace foreflow::predictor {

std::size_t QuantileTrees::leaf(const Tree& tree, std::span<const float> row) const {
  if (tree.node_count == 0) return tree.first_leaf;
  int next = 0;
  do {
    const Node& node = nodes_[tree.first_node + static_cast<std::size_t>(next)];
    next = row[static_cast<std::size_t>(node.feature)] <= node.threshold ? node.left : node.right;
  } while (next >= 0);
  return tree.first_leaf + static_cast<std::size_t>(~next);
}

void QuantileTrees::predict(std::span<const float> row, std::span<float> out) const {
  const std::size_t count = start_.size();
  std::copy(start_.begin(), start_.end(), out.begin());
  for (const Tree& tree : trees_) {
    const float* const steps = &steps_[leaf(tree, row) * count];
    for (std::size_t q = 0; q < count; ++q) out[q] += steps[q];
  }
}

void QuantileTrees::save(std::string& bytes) const {
  put(bytes, static_cast<std::uint64_t>(features_));
  put_all(bytes, start_);
  put_all(bytes, trees_);
  put(bytes, static_cast<std::uint64_t>(nodes_.size()));
  for (const Node& node : nodes_) {
    put(bytes, node.threshold);
    put(bytes, node.feature);
    put(bytes, node.left);
    put(bytes, node.right);
  }
  put_all(bytes, steps_);
}

namespace {

bool finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

Result<QuantileTrees> QuantileTrees::load(std::string_view& bytes) {
  const auto damaged = [] { return fail(ErrorCode::kMalformed, "the saved trees are damaged or cut short"); };
  QuantileTrees made;
  const auto features = take<std::uint64_t>(bytes);
  auto start = take_all<float>(bytes);
  auto trees = start ? take_all<Tree>(bytes) : std::nullopt;
  const auto node_count = trees ? take<std::uint64_t>(bytes) : std::nullopt;
  if (!features || !node_count || start->empty() || *node_count > bytes.size()) return damaged();
  for (std::uint64_t i = 0; i < *node_count; ++i) {
    const auto threshold = take<float>(bytes);
    const auto feature = take<std::int16_t>(bytes);
    const auto left = take<std::int16_t>(bytes);
    const auto right = take<std::int16_t>(bytes);
    if (!right || *feature < 0 || static_cast<std::uint64_t>(*feature) >= *features) return damaged();
    made.nodes_.push_back({*threshold, *feature, *left, *right});
  }
  auto steps = take_all<float>(bytes);
  if (!steps || !finite(*steps) || !finite(*start)) return damaged();
  made.features_ = *features;
  made.start_ = std::move(*start);
  made.trees_ = std::move(*trees);
  made.steps_ = std::move(*steps);
  // Children lie behind their parents, so that no damage makes a walk endless.
  for (const Tree& tree : made.trees_) {
    if (std::uint64_t{tree.first_node} + tree.node_count > made.nodes_.size()) return damaged();
    if ((std::uint64_t{tree.first_leaf} + tree.node_count + 1) * made.start_.size() > made.steps_.size())
      return damaged();
    for (std::uint32_t i = 0; i < tree.node_count; ++i)
      for (const int child : {made.nodes_[tree.first_node + i].left, made.nodes_[tree.first_node + i].right})
        if (child >= 0 ? child <= static_cast<int>(i) || child >= static_cast<int>(tree.node_count)
                       : ~child > static_cast<int>(tree.node_count))
          return damaged();
  }
  return made;
}

}  // namespace foreflow::predictor
