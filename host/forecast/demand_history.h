// SPDX-License-Identifier: Apache-2.0
// Recent demand of one VM in one direction: a ring of intervals, and the samples of the few that are being filled.
// Place: host/forecast, inside ForecastService. Thread safety: none.
// Invariant: a slot belongs to exactly one of the newest `length` intervals; NaN marks one without a sample.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/units.h"
#include "host/forecast/peak_samples.h"
#include "predictor/series/series.h"

namespace foreflow::forecast {

// Later times are not believed: beyond them the arithmetic of intervals could overflow (the year 2116).
inline constexpr UnixNanos kLatest{std::int64_t{1} << 62};

// Counts intervals since 1970.
using IntervalIndex = std::int64_t;

struct Slot {
  float rate = 0;  // bytes per second, p95 of the interval; NaN = never seen
  bool limited = false;
};

// A history as it is kept on disk: slots of consecutive intervals, the last being `newest`.
struct StoredHistory {
  IntervalIndex newest = 0;
  std::vector<Slot> slots;
};

class DemandHistory {
 public:
  DemandHistory(std::uint64_t interval_ns, std::size_t length);

  // As ForecastService::observe(). A report without length or from before 1970 or after kLatest is ignored.
  void observe(UnixNanos time, std::uint64_t interval_ns, std::uint64_t offered_bytes, bool limited);

  bool empty() const { return empty_; }
  IntervalIndex newest() const { return newest_; }
  // The first interval that was seen, as long as it is kept.
  IntervalIndex oldest() const { return std::max(first_, first_kept()); }
  std::optional<Slot> at(IntervalIndex index) const;  // nullopt: not kept or never seen
  UnixNanos newest_sample() const { return newest_sample_; }
  std::optional<UnixNanos> newest_limited() const { return newest_limited_; }
  // Changes whenever an interval other than the newest does.
  std::uint64_t revision() const { return revision_; }

  // The intervals before `end`, oldest seen first. Where `end` lies far behind the newest interval the gap is shortened
  // by whole seasons, so that it stays bounded and in phase.
  predictor::Series series(IntervalIndex end, std::size_t season) const;

  StoredHistory store() const;
  // Replaces everything; keeps the newest part when there is more than fits.
  void restore(const StoredHistory& stored);

 private:
  // Samples of an interval that is being filled. `before` is what its slot held when it was (re)opened: the samples
  // behind that value are gone, and the larger of two p95s is an upper bound of the p95 of both parts.
  struct Open {
    IntervalIndex index = 0;
    std::uint64_t touched = 0;  // 0 = unused
    float before = 0;
    PeakSamples samples;
  };
  static constexpr std::size_t kOpen = 4;

  void add(IntervalIndex index, float rate, std::uint64_t count, bool limited);
  void advance(IntervalIndex index);
  Open& open(IntervalIndex index);
  std::size_t place(IntervalIndex index) const;
  IntervalIndex first_kept() const {
    return std::max<IntervalIndex>(0, newest_ - static_cast<IntervalIndex>(slots_.size()) + 1);
  }
  IntervalIndex index_of(std::int64_t time_ns) const { return time_ns / static_cast<std::int64_t>(interval_ns_); }

  std::uint64_t interval_ns_;
  std::vector<float> slots_;
  std::vector<std::uint8_t> limited_;
  std::array<Open, kOpen> open_{};
  std::uint64_t touches_ = 0;
  std::uint64_t revision_ = 0;
  bool empty_ = true;
  IntervalIndex first_ = 0;
  IntervalIndex newest_ = 0;
  UnixNanos newest_sample_;
  std::optional<UnixNanos> newest_limited_;
};

}  // namespace foreflow::forecast
