// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/behaviour.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "predictor/features/autocorrelation.h"
#include "predictor/features/change_points.h"
#include "predictor/features/dispersion.h"
#include "predictor/features/spectrum.h"
#include "predictor/features/timers.h"
#include "predictor/features/wavelet.h"
#include "predictor/features/whole.h"
#include "predictor/series/resample.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kHoursOfDay = 24;
constexpr std::size_t kDaysOfWeek = 7;
constexpr std::size_t kLevels = 7;  // 2^7 points of 5 minutes: 10 hours

double mean(std::span<const double> x) {
  return x.empty() ? 0 : std::accumulate(x.begin(), x.end(), 0.) / static_cast<double>(x.size());
}

double squares_about(std::span<const double> x, double centre) {
  double sum = 0;
  for (const double value : x) sum += (value - centre) * (value - centre);
  return sum;
}

std::vector<double> known_of(const SeriesView& series) {
  std::vector<double> known;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series.is_gap(i)) known.push_back(series.values[i]);
  return known;
}

// 1 - (squares about the means by place in the period) / (squares about the mean).
double strength(std::span<const double> x, std::size_t period) {
  if (x.size() < 2 * period) return 0;
  std::vector<double> sums(period, 0.), counts(period, 0.);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % period] += x[i], ++counts[i % period];
  double within = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double departure = x[i] - sums[i % period] / counts[i % period];
    within += departure * departure;
  }
  const double all = squares_about(x, mean(x));
  return all > 0 ? std::max(1 - within / all, 0.) : 0;
}

class Describer {
 public:
  explicit Describer(const SeriesView& series)
      : series_(series), known_(known_of(series)), logs_(log1p(series)), log_(interpolated(logs_.view())) {}

  BehaviourVector describe() {
    values();
    memory();
    seasons();
    timers(series_.season, series_.season / 144);
    timers(series_.season / kHoursOfDay, 0);
    shape();
    energies();
    return vector_;
  }

 private:
  void add(double value) { vector_[next_++] = value; }

  void values() {
    std::ranges::sort(known_);
    const auto n = static_cast<double>(known_.size());
    const double average = mean(known_);
    double limited = 0;
    for (std::size_t i = 0; i < series_.size(); ++i) limited += series_.is_limited(i);
    add(static_cast<double>(series_.size()) / static_cast<double>(series_.season));
    add(1 - n / static_cast<double>(series_.size()));
    add(limited / n);
    add(static_cast<double>(std::ranges::count(known_, 0.)) / n);
    add(average);
    for (const double q : {.5, .95, .99, .999, 1.})
      add(average > 0 ? known_[static_cast<std::size_t>(std::ceil(q * n)) - 1] / average : 0);
    add(tail_index(known_, std::max<std::size_t>(known_.size() / 100, 10)).value_or(0));
  }

  void memory() {
    const std::size_t day = series_.season;
    add(hurst_exponent(log_).value_or(.5));
    add(std::sqrt(squares_about(log_, mean(log_)) / static_cast<double>(log_.size())));
    const std::vector<double> correlation = autocorrelation(log_, kDaysOfWeek * day);
    for (const std::size_t lag : {std::size_t{1}, day / kHoursOfDay, day, kDaysOfWeek * day}) add(correlation[lag]);
  }

  void seasons() {
    add(strength(log_, series_.season));
    add(strength(log_, kDaysOfWeek * series_.season));
  }

  void timers(std::size_t period, std::size_t tolerance) {
    const TimerSearch search{.period = period, .tolerance = tolerance};
    const std::vector<BurstTimer> found = burst_timers(series_, search);
    add(static_cast<double>(found.size()));
    add(share_by_timers(series_, search, found));
  }

  void shape() {
    const auto periods = significant_periods(log_, 1e-3, 1);
    add(periods.empty() ? 0 : periods[0].points / static_cast<double>(series_.season));
    add(periods.empty() ? 0 : periods[0].share);
    const std::vector<double> days = interpolated(resample_mean(logs_.view(), series_.season).view());
    constexpr std::size_t kNewestDays = 180;
    add(robust_slope(std::span(days).last(std::min(days.size(), kNewestDays))));
    const std::vector<double> hours = interpolated(resample_mean(logs_.view(), series_.season / kHoursOfDay).view());
    add(static_cast<double>(level_changes(hours, usual_penalty(hours.size())).size()) / vector_[0]);
  }

  void energies() {
    const std::vector<double> e = wavelet_energies(log_, Wavelet::kDaubechies8, kLevels);
    add(e[0] + e[1] + e[2]);
    add(e[3] + e[4]);
    add(e[5] + e[6]);
    add(e[kLevels]);
    std::vector<double> noise = denoised(log_, Wavelet::kDaubechies8, kLevels);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = log_[i] - noise[i];
    const double all = squares_about(log_, mean(log_));
    add(all > 0 ? squares_about(noise, mean(noise)) / all : 0);
  }

  const SeriesView& series_;
  std::vector<double> known_;
  Series logs_;
  std::vector<double> log_;
  BehaviourVector vector_{};
  std::size_t next_ = 0;
};

}  // namespace

Result<BehaviourVector> behaviour_v1(const SeriesView& series) {
  if (series.season < kHoursOfDay)
    return fail(ErrorCode::kInvalidArgument, fmt::format("a season of {} points: {} needs days of at least {}",
                                                         series.season, kBehaviourVersion, kHoursOfDay));
  const std::size_t needed = kBehaviourFewest * series.season;
  const std::size_t known = known_of(series).size();
  if (known < needed)
    return fail(ErrorCode::kInvalidArgument, fmt::format("not enough data: {} known points, {} needs {} ({} days)",
                                                         known, kBehaviourVersion, needed, kBehaviourFewest));
  return Describer(series).describe();
}

}  // namespace foreflow::predictor
