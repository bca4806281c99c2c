// SPDX-License-Identifier: Apache-2.0
// The largest of the last n values of a stream, at constant cost per value.
// Place: predictor/features. Thread safety: none. Source: a queue of falling values (Lemire 2006).
#pragma once
#include <cstddef>
#include <deque>
#include <utility>

namespace foreflow::predictor {

class RunningMax {
 public:
  explicit RunningMax(std::size_t length = 1) : length_(length) {}

  void push(float value) {
    while (!falling_.empty() && falling_.back().second <= value) falling_.pop_back();
    falling_.emplace_back(seen_++, value);
    if (falling_.front().first + length_ < seen_) falling_.pop_front();
  }

  float value() const { return falling_.empty() ? 0 : falling_.front().second; }  // 0 before the first value

 private:
  std::size_t length_;
  std::size_t seen_ = 0;
  std::deque<std::pair<std::size_t, float>> falling_;
};

}  // namespace foreflow::predictor
