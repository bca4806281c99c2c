// SPDX-License-Identifier: Apache-2.0
// A store in memory that can refuse, for a while or for good.
// Place: tests/unit/host.
#pragma once
#include <map>
#include <mutex>
#include <optional>

#include "host/store/series_store.h"

namespace foreflow {

class MemoryStore final : public store::SeriesStore {
 public:
  Status append(const std::vector<store::Point>& points, const std::optional<store::Watermark>& mark) override {
    std::lock_guard lock(mutex_);
    if (refusal && (refuse_empty || !points.empty())) return tl::unexpected(*refusal);
    points_.insert(points_.end(), points.begin(), points.end());
    if (mark) marks_[{mark->dataplane, mark->boot_id}] = mark->sequence;
    return {};
  }
  Result<std::vector<store::Point>> range(const store::RangeQuery& query) override {
    std::lock_guard lock(mutex_);
    std::vector<store::Point> found;
    for (const auto& point : points_)
      if (point.measurement == query.measurement && point.resolution == query.resolution && point.tags.vm == query.vm &&
          point.time >= query.from && point.time < query.to)
        found.push_back(point);
    return found;
  }
  Result<std::optional<store::Point>> last(store::Measurement measurement, const std::string& vm) override {
    std::lock_guard lock(mutex_);
    std::optional<store::Point> newest;
    for (const auto& point : points_)
      if (point.measurement == measurement && point.tags.vm == vm && (!newest || point.time > newest->time))
        newest = point;
    return newest;
  }
  Result<std::uint64_t> watermark(const std::string& dataplane, std::uint64_t boot_id) override {
    std::lock_guard lock(mutex_);
    const auto found = marks_.find({dataplane, boot_id});
    return found == marks_.end() ? 0 : found->second;
  }
  Health health() const override { return {.description = "memory"}; }

  std::size_t count(store::Measurement measurement) {
    std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& point : points_) n += point.measurement == measurement;
    return n;
  }

  std::optional<Error> refusal;
  bool refuse_empty = false;  // refuse a watermark without points too

 private:
  std::mutex mutex_;
  std::vector<store::Point> points_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> marks_;
};

}  // namespace foreflow
