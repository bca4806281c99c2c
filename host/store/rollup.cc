// SPDX-License-Identifier: Apache-2.0
#include "host/store/rollup.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace foreflow::store {
namespace {

bool has_tiers(const Point& point) {
  return point.resolution == Resolution::kRaw &&
         (point.measurement == Measurement::kVmNet || point.measurement == Measurement::kVmApp ||
          point.measurement == Measurement::kVmGuest || point.measurement == Measurement::kDataplane);
}

}  // namespace

void DirtyBuckets::touch(const Point& point) {
  // A clock that is centuries ahead: its buckets would never be due.
  constexpr auto kFarthest = std::numeric_limits<std::int64_t>::max() / 2;
  if (!has_tiers(point) || point.time.value > kFarthest) return;
  const auto& subject = point.measurement == Measurement::kDataplane ? point.tags.dpu : point.tags.vm;
  if (seen_.size() > most_) seen_.clear();
  for (const auto tier : kTiers) {
    const auto start = bucket_start(point.time, tier);
    const Bucket bucket{UnixNanos{start.value + width_ns(tier)}, tier, point.measurement, subject};
    if (tier == Resolution::k1Hour && seen_.insert(std::string(to_string(point.measurement)) + '\0' + subject).second &&
        new_.size() < most_)
      new_.push_back(bucket);
    add(bucket);
  }
}

void DirtyBuckets::touch_hour(const Bucket& hour) {
  for (const auto tier : kTiers)
    for (auto end = hour.start().value + width_ns(tier); end <= hour.end.value; end += width_ns(tier))
      add({UnixNanos{end}, tier, hour.measurement, hour.subject});
}

std::vector<Bucket> DirtyBuckets::take_new(std::size_t most) {
  const auto end = new_.begin() + static_cast<std::ptrdiff_t>(std::min(most, new_.size()));
  std::vector<Bucket> taken(new_.begin(), end);
  new_.erase(new_.begin(), end);
  return taken;
}

void DirtyBuckets::add(Bucket bucket) {
  dirty_.insert(std::move(bucket));
  if (dirty_.size() <= most_) return;
  dirty_.erase(dirty_.begin());
  ++forgotten_;
}

std::vector<Bucket> DirtyBuckets::take(UnixNanos until, std::size_t most) {
  std::vector<Bucket> due;
  while (!dirty_.empty() && due.size() < most && dirty_.begin()->end <= until)
    due.push_back(std::move(dirty_.extract(dirty_.begin()).value()));
  return due;
}

void Rollup::observe(const std::vector<Point>& points, UnixNanos now) {
  const std::scoped_lock lock(mutex_);
  for (const auto& point : points) newest_ = std::max(newest_, point.time);
  const auto oldest = std::min(now, newest_).value - static_cast<std::int64_t>(config_.raw_kept_ns);
  for (const auto& point : points) {
    if (point.time.value < oldest)
      ++too_late_;
    else
      dirty_.touch(point);
  }
}

// What an earlier process left: buckets are computed in order of time, so the last point of an hour says how far it
// came.
Status Rollup::catch_up() {
  auto series = [&] {
    const std::scoped_lock lock(mutex_);
    return dirty_.take_new(config_.series_per_step);
  }();
  for (auto each = series.begin(); each != series.end(); ++each) {
    const auto hours = hours_to_compute(*each);
    const std::scoped_lock lock(mutex_);
    if (!hours) {
      for (; each != series.end(); ++each) dirty_.add_new(std::move(*each));
      return tl::unexpected(hours.error());
    }
    for (const auto& hour : *hours) dirty_.touch_hour(hour);
  }
  return {};
}

// Of `newest` and the hours before it, those that have raw points and may lack points of their tiers.
Result<std::vector<Bucket>> Rollup::hours_to_compute(const Bucket& newest) {
  constexpr auto kWidth = width_ns(Resolution::k1Hour);
  if (newest.start().value < static_cast<std::int64_t>(config_.raw_kept_ns)) return std::vector<Bucket>{};
  const UnixNanos oldest{newest.start().value - static_cast<std::int64_t>(config_.raw_kept_ns)};
  const auto computed = store_.range({newest.measurement, Resolution::k1Hour, newest.subject, oldest, newest.start()});
  if (!computed) return tl::unexpected(computed.error());
  const auto from = computed->empty() ? std::max(oldest.value, newest.start().value - config_.hours_back * kWidth)
                                      : computed->back().time.value + kWidth;
  std::vector<Bucket> hours;
  for (auto hour = newest; hour.start().value >= from; hour.end.value -= kWidth) {
    const auto raw = store_.range({hour.measurement, Resolution::kRaw, hour.subject, UnixNanos{hour.start().value + 1},
                                   UnixNanos{hour.end.value + 1}});
    if (!raw) return tl::unexpected(raw.error());
    if (!raw->empty()) hours.push_back(hour);
  }
  return hours;
}

Status Rollup::step(UnixNanos now) {
  if (auto caught_up = catch_up(); !caught_up) return caught_up;
  const auto due = [&] {
    const std::scoped_lock lock(mutex_);
    return dirty_.take(UnixNanos{now.value - static_cast<std::int64_t>(config_.grace_ns)}, config_.buckets_per_step);
  }();
  if (due.empty()) return {};
  auto written = compute(due).and_then([&](const std::vector<Point>& points) { return store_.append(points, {}); });
  if (!written) {
    const std::scoped_lock lock(mutex_);
    for (const auto& bucket : due) dirty_.add(bucket);
  }
  return written;
}

Result<std::vector<Point>> Rollup::compute(const std::vector<Bucket>& buckets) {
  std::vector<Point> points;
  for (const auto& bucket : buckets) {
    const RangeQuery query{bucket.measurement, Resolution::kRaw, bucket.subject, UnixNanos{bucket.start().value + 1},
                           UnixNanos{bucket.end.value + 1}};
    const auto raw = store_.range(query);
    if (!raw) return tl::unexpected(raw.error());
    auto tier = aggregate(*raw, bucket.tier, bucket.start());
    points.insert(points.end(), std::make_move_iterator(tier.begin()), std::make_move_iterator(tier.end()));
  }
  return points;
}

Rollup::Counters Rollup::counters() const {
  const std::scoped_lock lock(mutex_);
  return {dirty_.count(), too_late_, dirty_.forgotten()};
}

}  // namespace foreflow::store
