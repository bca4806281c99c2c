// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/burst_timer.h"

#include <algorithm>
#include <vector>

#include "predictor/features/samples.h"
#include "predictor/features/timers.h"
#include "predictor/models/empirical.h"
#include "predictor/series/recent.h"

namespace foreflow::predictor {
namespace {

// Timers of one period, and what former periods had at their places.
class Clock {
 public:
  Clock(const SeriesView& series, std::size_t period, std::size_t tolerance, std::size_t periods)
      : period_(period), at_(period, false), which_{.periods = periods, .neighbours = tolerance} {
    const TimerSearch search{.period = period, .tolerance = tolerance};
    for (const BurstTimer& timer : burst_timers(series, search))
      for (std::size_t off = 0; off <= 2 * tolerance; ++off)
        at_[(timer.place + period + off - tolerance) % period] = true;
  }

  bool fires(const SeriesView& past, std::size_t lead) const {
    return at_[(past.phase + past.size() + lead) % period_];
  }

  Quantiles quantiles(const SeriesView& past, std::size_t lead) const {
    SeriesView by_period = past;
    by_period.season = period_;
    by_period.phase = past.phase % period_;
    return empirical_quantiles(same_slot(by_period, lead % period_, which_));
  }

 private:
  std::size_t period_;
  std::vector<bool> at_;  // places at which a burst is expected
  SameSlot which_;
};

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, const SeriesView& series)
      : name_(std::move(name)), recent_(series, BurstTimerModel::kPeriods * series.season + series.season / 24 + 1) {
    const SeriesView known = recent_.view();
    clocks_.emplace_back(known, known.season, known.season / 144, BurstTimerModel::kPeriods);
    const std::size_t hour = known.season / 24;
    if (hour >= BurstTimerModel::kFewestInHour) clocks_.emplace_back(known, hour, 0, kHours);
  }

  QuantileForecast forecast(std::size_t horizon) const override {
    const SeriesView past = recent_.view();
    const Quantiles usual = empirical_quantiles(newest(past, std::max(past.season / 8, kFewest)));
    std::vector<Quantiles> rows(horizon, usual);
    for (std::size_t lead = 0; lead < horizon; ++lead)
      for (const Clock& clock : clocks_)
        if (clock.fires(past, lead)) raise(rows[lead], clock.quantiles(past, lead));
    return finish(rows, recent_max(past, kTailPeriods * past.season), name_);
  }

  void update(double value, bool limited) override { recent_.push(value, limited); }

 private:
  static constexpr std::size_t kHours = 48;  // that are remembered for timers of the hour
  static constexpr std::size_t kFewest = 5;  // values that tell what is usual

  static void raise(Quantiles& row, const Quantiles& least) {
    for (std::size_t q = 0; q < row.size(); ++q) row[q] = std::max(row[q], least[q]);
  }

  std::string name_;
  Recent recent_;
  std::vector<Clock> clocks_;
};

}  // namespace

std::unique_ptr<FittedModel> BurstTimerModel::fit(const SeriesView& series) const {
  return std::make_unique<Fitted>(name(), series);
}

}  // namespace foreflow::predictor
