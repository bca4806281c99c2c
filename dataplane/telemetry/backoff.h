// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt: doubles up to a bound, with jitter so that a fleet whose manager restarts
// does not return in one instant. Place: dataplane/telemetry. Thread safety: none.
#pragma once
#include <algorithm>
#include <chrono>
#include <random>

namespace foreflow::telemetry {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{10'000};

  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  // Between half and all of the current step.
  std::chrono::milliseconds next() {
    const auto step = step_;
    step_ = std::min(2 * step_, kLongest);
    return std::chrono::milliseconds(std::uniform_int_distribution(step.count() / 2, step.count())(random_));
  }
  void reset() { step_ = kFirst; }

 private:
  std::mt19937_64 random_;
  std::chrono::milliseconds step_ = kFirst;
};

}  // namespace foreflow::telemetry
