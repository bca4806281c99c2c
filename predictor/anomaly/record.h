// SPDX-License-Identifier: Apache-2.0
// How far a statistic goes beyond everything it has been so far, on a scale that fits every series.
// Place: predictor/anomaly. Needs no distribution and no tuning per series: independent values set new records ever
// more rarely (the n-th with probability 1/n), so alarms stay few whatever the statistic is. Thread safety: none.
// Memory: constant.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace foreflow::predictor {

// Remembers the decaying maximum, the level and the mean deviation of a statistic. Invariant: peak_ >= level_ -
// rounding.
class RecordScale {
 public:
  // `memory`: after so many values a past maximum has come down to 1/e of its distance from the level.
  explicit RecordScale(float memory) : keep_(1 - 1 / memory) {}

  // Score of the value in [0, 1): 0 = seen before, .5 = the maximum exceeded by its own distance from the level.
  // The value becomes history kGuard values later, so that an event is not measured against its own beginning.
  // NaN scores 0 and is not remembered.
  double push(double value);

  static constexpr std::size_t kGuard = 12;

 private:
  void remember(float value);

  std::array<float, kGuard> waiting_{};  // ring, valid up to waiting_count_
  float keep_;
  float peak_ = 0;
  float level_ = 0;
  float deviation_ = 0;
  std::uint32_t remembered_ = 0;
  std::uint8_t waiting_count_ = 0;
  std::uint8_t next_ = 0;
};

}  // namespace foreflow::predictor
