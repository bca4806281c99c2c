// SPDX-License-Identifier: Apache-2.0
#include "predictor/anomaly/detector.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace foreflow::predictor {
namespace {

constexpr std::size_t kNewer = 2;  // change point: the mean of these
constexpr std::size_t kOlder = 8;  // against the median of these before them
constexpr double kGap = std::numeric_limits<double>::quiet_NaN();
constexpr double kLargest = 1e30;  // what single precision can still add up

// How long each statistic remembers its maximum, in values: the residual of a forecast that knows the week is steady
// and may be sharp; levels and changes have to remember at least a few weeks of 5 minutes.
constexpr float kResidualMemory = 2'000;
constexpr float kSpectralMemory = 8'000;
constexpr float kLevelMemory = 16'000;

constexpr double kRounding = 1e-9;  // changes below this part of the value are nothing
constexpr float kWeekSlowest = .02F;
constexpr float kDaySlowest = .05F;

}  // namespace

std::string_view to_string(AnomalyCause cause) {
  switch (cause) {
    case AnomalyCause::kForecastResidual:
      return "forecast_residual";
    case AnomalyCause::kRise:
      return "rise";
    case AnomalyCause::kDrop:
      return "drop";
    case AnomalyCause::kHigh:
      return "high";
    case AnomalyCause::kLow:
      return "low";
    case AnomalyCause::kSpectralResidual:
      return "spectral_residual";
    case AnomalyCause::kSeasonalDeviate:
      return "seasonal_deviate";
  }
  return "unknown";
}

AnomalyDetector::AnomalyDetector(double threshold)
    : week_(kWeekSlowest),
      day_(kDaySlowest),
      scales_{RecordScale(kResidualMemory), RecordScale(kLevelMemory), RecordScale(kLevelMemory),
              RecordScale(kLevelMemory),    RecordScale(kLevelMemory), RecordScale(kSpectralMemory),
              RecordScale(kLevelMemory)},
      threshold_(static_cast<float>(threshold)) {}

double AnomalyDetector::change() const {
  std::array<float, kOlder> older;
  for (std::size_t i = 0; i < kOlder; ++i) older[i] = recent(kNewer + i);
  std::nth_element(older.begin(), older.begin() + kOlder / 2, older.end());
  return (static_cast<double>(recent(0)) + recent(1)) / kNewer - older[kOlder / 2];
}

double AnomalyDetector::saliency() const {
  std::array<double, kSpectralObserved> window;
  for (std::size_t i = 0; i < kSpectralObserved; ++i) window[i] = recent(kSpectralObserved - 1 - i);
  return spectral_saliency(window);
}

AnomalyDetector::Strengths AnomalyDetector::strengths(std::int64_t time, double value, double residual) {
  constexpr float kSlowest = .002F;
  if (seen_ == 1) usual_residual_ = static_cast<float>(residual);
  const double surprise = std::abs(residual - usual_residual_);
  usual_residual_ +=
      static_cast<float>(std::max(kSlowest, 1 / static_cast<float>(seen_)) * (residual - usual_residual_));
  const double moved = seen_ >= kNewer + kOlder ? change() : kGap;
  const double spectral = seen_ >= kSpectralObserved ? saliency() : kGap;
  const Strengths statistics{surprise,
                             moved,
                             -moved,
                             value,
                             -value,
                             spectral,
                             deviate_.push(day_.residual(time, value), kRounding * std::abs(value))};
  Strengths result;
  for (std::size_t i = 0; i < kAnomalyCauses; ++i) result[i] = scales_[i].push(statistics[i]);
  return result;
}

AnomalyVerdict AnomalyDetector::push(std::int64_t time, double value) {
  if (!std::isfinite(value)) return judge({}, false);
  value = static_cast<float>(std::clamp(value, -kLargest, kLargest));  // as precise as what is remembered
  recent_[next_] = static_cast<float>(value);
  next_ = (next_ + 1) % kSpectralObserved;
  if (seen_ < UINT32_MAX) ++seen_;
  const double residual = week_.residual(time, value);
  return judge(strengths(time, value, residual), residual > 0);
}

AnomalyVerdict AnomalyDetector::judge(const Strengths& strengths, bool above) {
  const auto* const largest = std::ranges::max_element(strengths);
  const auto own = static_cast<AnomalyCause>(largest - strengths.begin());
  const bool alarming = *largest >= threshold_;
  const bool told = since_told_ < kQuiet;
  AnomalyVerdict verdict{.score = told ? 0 : *largest, .strength = *largest, .cause = own, .above = above};
  if (told) ++since_told_;
  if (alarming && !told) since_told_ = 0;

  const bool in_event = duration_ > 0 && since_alarming_ < kQuiet;
  if (!in_event) duration_ = 0;
  if (in_event || alarming) ++since_alarming_;
  if (!alarming) {
    verdict.duration = duration_;
    return verdict;
  }
  duration_ += in_event ? since_alarming_ : 1;
  since_alarming_ = 0;
  verdict.duration = duration_;
  return verdict;
}

}  // namespace foreflow::predictor
