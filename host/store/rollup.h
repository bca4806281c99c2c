// SPDX-License-Identifier: Apache-2.0
// Keeps the tiers 1 min, 5 min and 1 h of what dataplanes report, the same in any store.
// Place: host/store; the manager feeds observe() with what it appended and calls step() every few seconds.
//
// A bucket is always computed anew from the raw points in the store and overwritten, so a late report, a repeated one
// and a restart all end in the same figures. In memory are only the names of the buckets that have to be computed.
#pragma once
#include <compare>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "host/store/aggregate.h"
#include "host/store/series_store.h"

namespace foreflow::store {

struct Bucket {
  UnixNanos end;  // first: the one that ended first is computed first
  Resolution tier = Resolution::k1Min;
  Measurement measurement = Measurement::kVmNet;
  std::string subject;  // VM, or the dataplane's id
  auto operator<=>(const Bucket&) const = default;
  UnixNanos start() const { return UnixNanos{end.value - width_ns(tier)}; }
};

// Which buckets have to be computed: bookkeeping on injected time. Thread safety: none.
class DirtyBuckets {
 public:
  explicit DirtyBuckets(std::size_t most) : most_(most) {}

  // The buckets of a raw point of vm_net, vm_app, vm_guest or dataplane; nothing for other points.
  void touch(const Point& point);
  // All buckets of that hour.
  void touch_hour(const Bucket& hour);
  // Takes out at most `most` series that had their first point since; of each the hour of that point.
  std::vector<Bucket> take_new(std::size_t most);
  void add_new(Bucket hour) { new_.push_back(std::move(hour)); }
  void add(Bucket bucket);

  // Takes out at most `most` buckets that ended by `until`, in order of their ends.
  std::vector<Bucket> take(UnixNanos until, std::size_t most);

  std::size_t count() const { return dirty_.size(); }
  std::uint64_t forgotten() const { return forgotten_; }  // the oldest, given up at the bound

 private:
  const std::size_t most_;
  std::set<Bucket> dirty_;
  std::unordered_set<std::string> seen_;
  std::deque<Bucket> new_;
  std::uint64_t forgotten_ = 0;
};

struct RollupConfig {
  std::uint64_t grace_ns = 3 * kNanosPerSecond;  // after a bucket's end, for reports on their way
  // Of raw points in the store, at most: a bucket older than that would be computed from what is left of it, so it
  // stays as it is. Measured back from the wall clock or the newest report, whichever is older.
  std::uint64_t raw_kept_ns = 6 * 86'400 * kNanosPerSecond;
  std::size_t most_dirty = 500'000;
  std::size_t buckets_per_step = 2'000;
  // An earlier process may have ended with buckets that it had not computed. For each series that is new to this one
  // the hours from its last point of an hour on (or, without one, these many before) are looked through for raw points.
  int hours_back = 24;
  std::size_t series_per_step = 16;
};

// Thread safety: all members from any thread; step() reads and writes the store without holding up observe().
class Rollup {
 public:
  Rollup(SeriesStore& store, const RollupConfig& config) : store_(store), config_(config), dirty_(config.most_dirty) {}

  // Once the points are in the store; `now` by the wall clock.
  void observe(const std::vector<Point>& points, UnixNanos now);

  // Computes and writes what is due, a bounded number of buckets in one append. After an error they are due again.
  Status step(UnixNanos now);

  struct Counters {
    std::size_t waiting = 0;      // buckets
    std::uint64_t too_late = 0;   // points older than raw_kept_ns
    std::uint64_t forgotten = 0;  // buckets
  };
  Counters counters() const;

 private:
  Result<std::vector<Point>> compute(const std::vector<Bucket>& buckets);
  Status catch_up();
  Result<std::vector<Bucket>> hours_to_compute(const Bucket& newest);

  SeriesStore& store_;
  const RollupConfig config_;
  mutable std::mutex mutex_;
  DirtyBuckets dirty_;
  UnixNanos newest_;
  std::uint64_t too_late_ = 0;
};

}  // namespace foreflow::store
