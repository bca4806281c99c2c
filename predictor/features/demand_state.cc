// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/demand_state.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

namespace foreflow::predictor {
namespace {

constexpr std::size_t kGrid = 288;  // windows are given for this many points a day
constexpr std::array<std::size_t, 5> kLags{1, 2, 3, 6, 12};
constexpr std::array<std::size_t, 6> kMaxima{3, 6, 12, 36, 144, 288};
constexpr std::array<std::size_t, 6> kMeans{3, 6, 12, 36, 288, 2016};
constexpr std::array<double, 4> kDayQuantiles{.5, .9, .95, .99};
constexpr std::array<double, 6> kWeekQuantiles{.25, .5, .9, .95, .99, .999};
constexpr std::size_t kDayEvery = 3, kWeekEvery = 12;  // points between two looks at the quantiles
constexpr double kAlpha = .3;
constexpr std::size_t kNow = 31;  // features that do not depend on the lead

std::size_t scaled(std::size_t points, std::size_t season) {
  return std::max<std::size_t>((points * season + kGrid / 2) / kGrid, 1);
}

// Quantiles by rank, without interpolation; `values` is reordered.
template <std::size_t n>
void quantiles(std::vector<float>& values, const std::array<double, n>& taus, std::array<float, n>& out) {
  auto end = values.end();
  for (std::size_t q = n; q-- > 0;) {
    const auto rank = static_cast<std::ptrdiff_t>(taus[q] * static_cast<double>(values.size() - 1));
    const auto place = values.begin() + rank;
    if (place < end) std::nth_element(values.begin(), place, end);
    end = place + 1;
    out[q] = *place;
  }
}

}  // namespace

DemandState::DemandState(std::size_t season, std::size_t phase)
    : season_(std::max<std::size_t>(season, 1)),
      phase_(phase),
      hour_(std::max<std::size_t>(season_ / 24, 1)),
      kept_((kDays + 1) * season_ + scaled(kHalf.back(), season_) + 1),
      log_(kept_, 0),
      week_max_(7 * season_),
      month_max_(28 * season_) {
  for (std::size_t h = 0; h < kHalf.size(); ++h) {
    around_[h].assign(kept_, 0);
    half_[h] = kHalf[h] == 0 ? 0 : scaled(kHalf[h], season_);
  }
  for (std::size_t i = 0; i < max_.size(); ++i) max_[i] = RunningMax(scaled(kMaxima[i], season_));
  for (std::size_t i = 0; i < kMeans.size(); ++i) mean_length_[i] = scaled(kMeans[i], season_);
}

float DemandState::at(std::size_t back) const {
  if (size_ == 0) return 0;
  return log_[place(size_ - std::min({back, size_, kept_}))];
}

float DemandState::filled(double value) const {
  if (std::isfinite(value) && value >= 0) return static_cast<float>(std::log1p(value));
  return at(size_ >= season_ ? season_ : 1);
}

double DemandState::mean(std::size_t which) const {
  const std::size_t count = std::min(size_, mean_length_[which]);
  return count == 0 ? 0 : std::max(sum_[which], 0.0) / static_cast<double>(count);
}

void DemandState::push_sums(float value) {
  const double rate = std::expm1(static_cast<double>(value));
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] += rate;
    if (size_ >= mean_length_[i]) sum_[i] -= std::expm1(static_cast<double>(at(mean_length_[i])));
  }
  if (size_ == 0) ewma_ = rate;
  const double error = rate - ewma_;
  ewma_ += kAlpha * error;
  variance_ = (1 - kAlpha) * (variance_ + kAlpha * error * error);
}

void DemandState::push_around(float value) {
  for (std::size_t h = 0; h < half_.size(); ++h) {
    float largest = value;
    for (std::size_t back = 1; back <= std::min(half_[h], size_); ++back) {
      float& other = around_[h][place(size_ - back)];
      other = std::max(other, value);
      largest = std::max(largest, log_[place(size_ - back)]);
    }
    around_[h][place(size_)] = largest;
  }
}

void DemandState::push(double value) {
  const float point = filled(value);
  push_sums(point);
  push_around(point);
  log_[place(size_)] = point;
  for (RunningMax& window : max_) window.push(point);
  week_max_.push(point);
  month_max_.push(point);
  ++size_;
  level_ = static_cast<float>(std::log1p(mean(kMeans.size() - 1)));
  refresh_quantiles();
}

void DemandState::refresh_quantiles() {
  auto newest = [this](std::size_t days) {
    std::vector<float> values(std::min(size_, days * season_));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = at(i + 1);
    return values;
  };
  if (size_ % scaled(kDayEvery, season_) == 0 || size_ < hour_) {
    std::vector<float> day = newest(1);
    quantiles(day, kDayQuantiles, day_quantiles_);
  }
  if (size_ % scaled(kWeekEvery, season_) == 0 || size_ < hour_) {
    std::vector<float> week = newest(kDays);
    quantiles(week, kWeekQuantiles, week_quantiles_);
  }
}

void DemandState::fill_now(std::span<float> out) const {
  std::size_t next = 0;
  auto add = [&](float value) { out[next++] = value - level_; };
  auto add_rate = [&](double rate) { add(static_cast<float>(std::log1p(std::max(rate, 0.0)))); };
  for (const std::size_t lag : kLags) add(at(scaled(lag, season_)));
  for (const RunningMax& window : max_) add(window.value());
  add(week_max_.value());
  add(month_max_.value());
  for (std::size_t i = 0; i + 1 < kMeans.size(); ++i) add_rate(mean(i));
  add_rate(ewma_);
  add_rate(std::sqrt(variance_));
  add_rate(ewma_ + 3 * std::sqrt(variance_));
  for (const float quantile : day_quantiles_) add(quantile);
  for (const float quantile : week_quantiles_) add(quantile);
  assert(next == kNow);
}

void DemandState::fill_target(std::size_t lead, std::span<float> out) const {
  std::size_t next = kNow;
  auto add = [&](float value) { out[next++] = value - level_; };
  const std::size_t target = size_ + lead;
  const std::size_t first = (lead / season_ + 1) * season_;  // back to the newest day whose slot is past
  for (std::size_t h = 0; h < half_.size(); ++h) {
    std::array<float, kDays> days{};
    for (std::size_t d = 0; d < kDays; ++d) {
      const std::size_t back = first + d * season_;
      if (back <= target && size_ - (target - back) <= kept_) days[d] = around_[h][place(target - back)];
    }
    std::array<float, kDays> falling = days;
    std::sort(falling.begin(), falling.end(), std::greater<>());
    const bool whole = h == 0 || h == 2;
    for (const std::size_t rank : {0, 1, 3}) add(falling[rank]);
    if (!whole) continue;
    for (const std::size_t rank : {2, 4, 6}) add(falling[rank]);
    add(days.front());
    add(days.back());
  }
  std::array<float, 24> hours{};
  const std::size_t hours_back = (lead / hour_ + 1) * hour_;
  for (std::size_t k = 0; k < hours.size(); ++k) {
    const std::size_t back = hours_back + k * hour_;
    if (back <= target && size_ - (target - back) <= kept_) hours[k] = log_[place(target - back)];
  }
  const float last_three = std::max({hours[0], hours[1], hours[2]});
  std::sort(hours.begin(), hours.end(), std::greater<>());
  for (const std::size_t rank : {0, 1, 4, 12}) add(hours[rank]);
  add(last_three);
  out[next++] = level_;
  out[next++] = static_cast<float>((phase_ + target) % season_ % hour_);
  const auto hour = (phase_ + target) % season_ / hour_;  // whole hours
  out[next++] = static_cast<float>(hour);
  out[next++] = static_cast<float>(lead);
  assert(next == kDemandFeatures);
}

}  // namespace foreflow::predictor
