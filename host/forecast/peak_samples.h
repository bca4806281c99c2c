// SPDX-License-Identifier: Apache-2.0
// The p95 of the rates of one interval, from its largest samples alone.
// Place: host/forecast; a few of these per VM and direction, for the intervals still being filled.
// Thread safety: none.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace foreflow::forecast {

// Of n samples the p95 is the (floor(n / 20) + 1)-th largest, so the kKept largest answer for n < 20 * kKept exactly;
// beyond that the smallest of them is an upper bound.
class PeakSamples {
 public:
  static constexpr std::size_t kKept = 33;

  // `count` samples of the same rate.
  void add(float rate, std::uint64_t count) {
    count_ += count;
    for (std::size_t i = std::min<std::uint64_t>(count, kKept); i > 0; --i)
      if (!insert(rate)) return;
  }

  // 0 when there is no sample.
  float p95() const { return kept_ == 0 ? 0 : largest_[std::min<std::uint64_t>(count_ / 20, kept_ - 1)]; }

 private:
  bool insert(float rate) {
    if (kept_ == kKept && rate <= largest_[kKept - 1]) return false;
    std::size_t place = kept_ < kKept ? kept_++ : kKept - 1;
    for (; place > 0 && largest_[place - 1] < rate; --place) largest_[place] = largest_[place - 1];
    largest_[place] = rate;
    return true;
  }

  std::array<float, kKept> largest_{};  // descending
  std::size_t kept_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace foreflow::forecast
