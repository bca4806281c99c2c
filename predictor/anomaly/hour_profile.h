// SPDX-License-Identifier: Apache-2.0
// What a value usually is at this hour of the day or of the week: the cheapest forecast that knows the calendar.
// Place: predictor/anomaly. Thread safety: none. Memory: 5 bytes per hour.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace foreflow::predictor {

inline constexpr std::size_t kHoursOfDay = 24;
inline constexpr std::size_t kHoursOfWeek = 168;

// One exponentially weighted mean per hour of a period of `kHours`; an hour not met yet borrows the overall mean.
template <std::size_t kHours>
class HourProfile {
 public:
  // `slowest`: weight of a new value once the hour has been met 1 / slowest times (at least 1/255).
  explicit HourProfile(float slowest) : slowest_(slowest) {}

  // The value's distance from what was expected; the value is then learned. `time`: seconds, any epoch at midnight.
  double residual(std::int64_t time, double value) {
    constexpr std::int64_t kSecondsPerHour = 3600;
    const std::int64_t hour = (time - (time < 0 ? kSecondsPerHour - 1 : 0)) / kSecondsPerHour;
    const auto slot = static_cast<std::size_t>(((hour % kPeriod) + kPeriod) % kPeriod);
    const double expected = met_[slot] > 0 ? mean_[slot] : learned_ > 0 ? overall_ : value;
    learn(slot, value);
    return value - expected;
  }

 private:
  static constexpr auto kPeriod = static_cast<std::int64_t>(kHours);

  void learn(std::size_t slot, double value) {
    constexpr float kOverallSlowest = .001F;
    if (met_[slot] < 255) ++met_[slot];
    if (learned_ < UINT32_MAX) ++learned_;
    mean_[slot] += static_cast<float>(std::max(slowest_, 1.F / met_[slot]) * (value - mean_[slot]));
    overall_ += static_cast<float>(std::max(kOverallSlowest, 1.F / static_cast<float>(learned_)) * (value - overall_));
  }

  std::array<float, kHours> mean_{};
  std::array<std::uint8_t, kHours> met_{};
  float slowest_;
  float overall_ = 0;
  std::uint32_t learned_ = 0;
};

}  // namespace foreflow::predictor
