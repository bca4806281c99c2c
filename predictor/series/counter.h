// SPDX-License-Identifier: Apache-2.0
// Deltas of a counter that only grows, except when it starts anew.
// Place: predictor/series; for sources that report totals. Thread safety: none.
#pragma once
#include <cstdint>
#include <optional>

namespace foreflow::predictor {

class CounterDelta {
 public:
  // A counter of 32 bits wraps at 2^32; any other that falls was reset.
  explicit CounterDelta(unsigned bits = 64) : wraps_(bits == 32) {}

  // What was counted since the last total; nullopt for the first total and after a reset, where nobody knows. A total
  // of 32 bits that falls is a wrap when the way over the top is less than half of the range, else a reset.
  std::optional<std::uint64_t> push(std::uint64_t total) {
    constexpr std::uint64_t kRange = std::uint64_t{1} << 32;
    const bool first = !seen_;
    const std::uint64_t last = last_;
    seen_ = true;
    last_ = total;
    if (first) return std::nullopt;
    if (total >= last) return total - last;
    if (wraps_ && last < kRange && kRange - last + total < kRange / 2) return kRange - last + total;
    return std::nullopt;
  }

 private:
  bool seen_ = false;
  std::uint64_t last_ = 0;
  bool wraps_;
};

}  // namespace foreflow::predictor
