// SPDX-License-Identifier: Apache-2.0
// The newest values on a model's scale, as a regression on lags reads them.
// Place: predictor/models. Thread safety: none. Memory: at most twice `length` values.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace foreflow::predictor {

class History {
 public:
  explicit History(std::size_t length) : length_(std::max<std::size_t>(length, 1)) {}

  // `z` is finite.
  void push(double z) {
    if (values_.empty()) low_ = high_ = z;
    low_ = std::min(low_, z);
    high_ = std::max(high_, z);
    if (values_.size() >= 2 * length_)
      values_.erase(values_.begin(), values_.end() - static_cast<std::ptrdiff_t>(length_));
    values_.push_back(z);
  }

  bool empty() const { return values_.empty(); }
  // Oldest first, at most `length`; fewer where there are no more.
  std::span<const double> view() const { return std::span(values_).last(std::min(values_.size(), length_)); }
  // Within half the range of all values so far: a recursion of lags that are slightly unstable cannot run away.
  double plausible(double z) const {
    const double slack = (high_ - low_) / 2;
    return std::clamp(z, low_ - slack, high_ + slack);
  }

 private:
  std::size_t length_;
  std::vector<double> values_;
  double low_ = 0, high_ = 0;
};

}  // namespace foreflow::predictor
