// SPDX-License-Identifier: Apache-2.0
// Anomalies of one series as it arrives: one score, its cause, how long it has lasted, one alarm per event.
// Place: predictor/anomaly; used by the backtest, the manager and, per VM and second, the dataplane's control thread.
//
// Five detectors look at each value: its residual against a forecast by the hour of the week; a change point (the mean
// of the newest two against the median of the eight before); a robust level (values never seen so high or low); the
// spectral residual; the seasonal extreme studentised deviate. Each yields a statistic, RecordScale puts all statistics
// on one scale, and the largest is the score: so the cause is always one detector that an operator can look up. A score
// needs only the values up to its own. A change that stays is news for about twelve values, then it is normal.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "predictor/anomaly/deviate.h"
#include "predictor/anomaly/hour_profile.h"
#include "predictor/anomaly/record.h"
#include "predictor/anomaly/spectral_residual.h"

namespace foreflow::predictor {

enum class AnomalyCause : std::uint8_t {
  kForecastResidual,  // far from what this hour of the week is usually like
  kRise,              // change point upwards
  kDrop,              // change point downwards
  kHigh,              // higher than it has been
  kLow,               // lower than it has been
  kSpectralResidual,  // out of the rhythm of the last hour (64 values)
  kSeasonalDeviate,   // too many robust sigmas from what this hour of the day is usually like
};
inline constexpr std::size_t kAnomalyCauses = 7;
std::string_view to_string(AnomalyCause cause);

// Scores from here on are alarms. Fixed on labelled series of servers, road traffic, advertising and tweets; see
// docs/BENCHMARKS.md for how and for what it costs elsewhere.
inline constexpr double kAnomalyThreshold = .155;

struct AnomalyVerdict {
  double score = 0;     // [0, 1): the strength, but 0 for kQuiet values after an alarm: an event is told once
  double strength = 0;  // [0, 1): of this value alone
  AnomalyCause cause = AnomalyCause::kForecastResidual;  // of the strongest detector
  bool above = false;                                    // above what the hour of the week lets expect
  std::uint32_t duration = 0;  // values from the event's first alarming one to its newest; 0 = no event
};

// Thread safety: none. Memory: sizeof(AnomalyDetector) (the test holds it below 2 KiB), nothing on the heap.
class AnomalyDetector {
 public:
  // `threshold`: the strength from which a value is alarming.
  explicit AnomalyDetector(double threshold = kAnomalyThreshold);

  // `time`: seconds of local time from any fixed origin at a full hour; may step in both directions. NaN and infinity
  // are gaps: no news, nothing learned.
  AnomalyVerdict push(std::int64_t time, double value);

  // An event is told once in so many values, and over when none of so many was alarming.
  static constexpr std::uint32_t kQuiet = 100;

 private:
  using Strengths = std::array<double, kAnomalyCauses>;
  Strengths strengths(std::int64_t time, double value, double residual);
  double change() const;
  double saliency() const;
  float recent(std::size_t age) const { return recent_[(next_ + kSpectralObserved - 1 - age) % kSpectralObserved]; }
  AnomalyVerdict judge(const Strengths& strengths, bool above);

  HourProfile<kHoursOfWeek> week_;
  HourProfile<kHoursOfDay> day_;
  StreamingDeviate deviate_;
  std::array<RecordScale, kAnomalyCauses> scales_;
  std::array<float, kSpectralObserved> recent_{};  // ring of the newest values
  std::uint32_t seen_ = 0;
  std::uint32_t next_ = 0;
  float usual_residual_ = 0;
  float threshold_;
  std::uint32_t since_told_ = kQuiet;
  std::uint32_t since_alarming_ = 0;
  std::uint32_t duration_ = 0;
};

}  // namespace foreflow::predictor
