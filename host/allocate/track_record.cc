// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/track_record.h"

#include <algorithm>
#include <cmath>

namespace foreflow::allocate {
namespace {

constexpr std::uint64_t kTwentieth = 20;
constexpr std::uint64_t kFifth = 5;

}  // namespace

std::size_t TrackRecord::too_many(double quantile) {
  const double twice = 2 * (1 - std::clamp(quantile, 0., 1.)) * static_cast<double>(kJudged);
  constexpr double kRounding = 1e-9;  // .95 is no binary fraction
  return std::min(1 + static_cast<std::size_t>(std::ceil(twice - kRounding)), kJudged);
}

void TrackRecord::observe(BytesPerSecond forecast, BytesPerSecond came, double quantile) {
  above_ <<= 1;
  above_[0] = came > forecast && came.value - forecast.value > came.value / kTwentieth;
  came_[next_++ % kShown] = came;
  if (above_.count() >= too_many(quantile))
    doubted_for_ = kJudged;
  else if (doubted_for_ > 0)
    --doubted_for_;
}

std::optional<BytesPerSecond> TrackRecord::instead() const {
  if (doubted_for_ == 0) return std::nullopt;
  const BytesPerSecond highest = *std::ranges::max_element(came_);
  const std::uint64_t more = highest.value / kFifth;
  return highest.value > kUnlimited.value - more ? kUnlimited : BytesPerSecond{highest.value + more};
}

}  // namespace foreflow::allocate
