// SPDX-License-Identifier: Apache-2.0
// The extreme studentised deviate of a stream: how many robust sigmas the newest value is from the usual.
// Place: predictor/anomaly. As in the seasonal hybrid ESD test (Hochenbaum, Vallis, Kejariwal 2017; Rosner 1983) median
// and median absolute deviation take the place of mean and sigma; both are tracked by steps in their own scale, as a
// stream cannot be sorted. Thread safety: none. Memory: 12 bytes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace foreflow::predictor {

class StreamingDeviate {
 public:
  // |value - median| / MAD of what came before; NaN for the first kWarmUp. The value is then learned.
  // `least`: a MAD below it is taken as this (rounding, on a series without noise).
  double push(double value, double least) {
    const double distance = std::abs(value - median_);
    const double spread = std::max<double>(spread_, least);
    const bool known = learned_ >= kWarmUp && spread > 0;
    const double deviate = known ? distance / spread : std::numeric_limits<double>::quiet_NaN();
    learn(value, distance);
    return deviate;
  }

  static constexpr std::uint32_t kWarmUp = 30;

 private:
  void learn(double value, double distance) {
    constexpr double kSlowest = .005;
    constexpr double kSmallest = 1e-12;
    if (learned_ < UINT32_MAX) ++learned_;
    const double share = 1. / learned_;
    if (learned_ <= kWarmUp) {  // means come first: steps need a scale
      median_ += static_cast<float>(share * (value - median_));
      spread_ += static_cast<float>(share * (std::abs(value - median_) - spread_));
      return;
    }
    const double step = std::max(kSlowest, share) * spread_;
    median_ += static_cast<float>(value > median_ ? step : value < median_ ? -step : 0);
    spread_ = static_cast<float>(std::max(spread_ + (distance > spread_ ? step : -step), kSmallest));
  }

  float median_ = 0;
  float spread_ = 0;
  std::uint32_t learned_ = 0;
};

}  // namespace foreflow::predictor
