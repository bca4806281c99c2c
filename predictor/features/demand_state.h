// SPDX-License-Identifier: Apache-2.0
// What a model that serves every VM looks at: a vector of the recent past, of the usual and of the same time on former
// days, kept up to date point by point.
// Place: predictor/features; training and forecasting use the same class, so that they cannot differ.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "predictor/features/running_max.h"
#include "predictor/series/series.h"

namespace foreflow::predictor {

// Features, all but the last four as log1p(value) - level(): a VM of any size looks alike. Windows are in points of a
// grid of 288 a day and are scaled to other grids.
inline constexpr std::size_t kDemandFeatures = 62;
// Raising it makes saved models of older versions unreadable: they would see other features than they learned from.
inline constexpr std::uint32_t kDemandFeaturesVersion = 1;

// Thread safety: none; fill() alone may run in parallel. Memory: 8 days of points as float, 5 times.
class DemandState {
 public:
  explicit DemandState(std::size_t season, std::size_t phase = 0);

  // One more point; a gap (NaN) is taken as the value of a day before, else as the last one. log1p of negative values
  // is never asked: they are gaps.
  void push(double value);

  std::size_t size() const { return size_; }
  // log1p of the mean of the last week: what features and targets are relative to.
  float level() const { return level_; }
  // The value `back` points ago (1 = the newest) as a feature: log1p(value) - level(). `back` at most 8 seasons; before
  // the first point it is the first.
  float relative(std::size_t back) const { return at(back) - level_; }
  // Largest values as log1p, for caps and tails; 0 before the first point.
  float max_of_week() const { return week_max_.value(); }
  float max_of_month() const { return month_max_.value(); }

  // The features for the (lead + 1)-th point after the newest: those of now (the same for every lead) and those of the
  // target. `out` has kDemandFeatures places.
  void fill_now(std::span<float> out) const;
  void fill_target(std::size_t lead, std::span<float> out) const;

 private:
  static constexpr std::array<std::size_t, 4> kHalf{0, 1, 3, 6};  // neighbours on each side of a slot, 288 grid
  static constexpr std::size_t kDays = 7;

  std::size_t place(std::size_t index) const { return index % kept_; }
  float at(std::size_t back) const;  // the value `back` points ago, 1 = newest; the oldest kept where there is none
  float filled(double value) const;
  double mean(std::size_t which) const;
  void push_sums(float value);
  void push_around(float value);
  void refresh_quantiles();

  std::size_t season_;
  std::size_t phase_;
  std::size_t hour_;
  std::size_t kept_;
  std::size_t size_ = 0;
  std::vector<float> log_;                    // ring of kept_
  std::array<std::vector<float>, 4> around_;  // ring: largest within kHalf of the point, as far as known
  std::array<std::size_t, 4> half_{};
  std::array<RunningMax, 6> max_;
  RunningMax week_max_;
  RunningMax month_max_;
  std::array<std::size_t, 6> mean_length_{};  // the last is a week
  std::array<double, 6> sum_{};               // of values, not of logarithms
  double ewma_ = 0;
  double variance_ = 0;
  float level_ = 0;
  std::array<float, 4> day_quantiles_{};
  std::array<float, 6> week_quantiles_{};
};

}  // namespace foreflow::predictor
