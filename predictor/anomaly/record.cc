// SPDX-License-Identifier: Apache-2.0
#include "predictor/anomaly/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace foreflow::predictor {
namespace {

constexpr float kSlowest = .001F;     // the level follows the last thousand values or so
constexpr float kGrowth = 5;          // one value raises the maximum to five times its distance from the level at most
constexpr float kGranularity = .01F;  // changes below 1 % of the level are nothing on a series without any noise
constexpr float kTiny = std::numeric_limits<float>::min();
constexpr float kLargest = 1e30F;  // leaves room for sums and differences in single precision

}  // namespace

void RecordScale::remember(float value) {
  ++remembered_;
  if (remembered_ == 1) {
    peak_ = level_ = value;
    return;
  }
  const float rate = std::max(kSlowest, 1 / static_cast<float>(remembered_));
  const float scale = peak_ - level_ + deviation_ + kGranularity * std::abs(level_);
  if (scale > 0) value = std::min(value, level_ + kGrowth * scale);
  peak_ = std::max(level_ + (peak_ - level_) * keep_, value);
  level_ += rate * (value - level_);
  deviation_ += rate * (std::abs(value - level_) - deviation_);
}

double RecordScale::push(double value) {
  if (std::isnan(value)) return 0;
  const auto kept = static_cast<float>(std::clamp<double>(value, -kLargest, kLargest));
  if (waiting_count_ == kGuard)
    remember(waiting_[next_]);
  else
    ++waiting_count_;
  waiting_[next_] = kept;
  next_ = static_cast<std::uint8_t>((next_ + 1) % kGuard);
  if (remembered_ == 0 || kept <= peak_) return 0;
  const double beyond = static_cast<double>(kept) - peak_;
  const double scale = static_cast<double>(peak_) - level_ + deviation_ + kGranularity * std::abs(level_) + kTiny;
  return std::clamp(beyond / (beyond + std::max<double>(scale, kTiny)), 0., 1.);
}

}  // namespace foreflow::predictor
