// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/usual_peaks.h"

#include <algorithm>
#include <cmath>

namespace foreflow::predictor {
namespace {

constexpr double kNewest = .3;  // weight of the newest point in mean and deviation

std::size_t hour_points(std::size_t season, std::size_t count) { return std::max<std::size_t>(season * count / 24, 1); }

}  // namespace

UsualPeaks::UsualPeaks(std::size_t season)
    : season_(std::max<std::size_t>(season, 1)),
      half_(season_ / 48),
      around_((kPeriods + 1) * season_ + half_ + 1),
      values_(half_ + 1),
      two_hours_(hour_points(season_, 2)),
      three_hours_(hour_points(season_, 3)),
      day_(season_),
      week_(7 * season_),
      month_(28 * season_) {}

void UsualPeaks::push(double value) {
  const float point = std::isfinite(value) && value > 0 ? static_cast<float>(value) : 0;
  float largest = point;
  for (std::size_t back = 1; back <= std::min(half_, size_); ++back) {
    float& other = around_[(size_ - back) % around_.size()];
    other = std::max(other, point);
    largest = std::max(largest, values_[(size_ - back) % values_.size()]);
  }
  around_[size_ % around_.size()] = largest;
  values_[size_ % values_.size()] = point;
  for (RunningMax* window : {&two_hours_, &three_hours_, &day_, &week_, &month_}) window->push(point);
  if (size_ == 0) mean_ = point;
  const double error = static_cast<double>(point) - mean_;
  mean_ += kNewest * error;
  variance_ = (1 - kNewest) * (variance_ + kNewest * error * error);
  ++size_;
}

double UsualPeaks::swing() const { return std::sqrt(variance_); }

double UsualPeaks::usual() const {
  float largest = two_hours_.value();
  for (std::size_t back = season_; back <= std::min(size_, kPeriods * season_); back += season_)
    largest = std::max(largest, around_[(size_ - back) % around_.size()]);
  return largest;
}

}  // namespace foreflow::predictor
