// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the tiers: raw points of a bucket -> one point of 1 min, 5 min or 1 h.
// Place: host/store. Pure.
// A tier's point covers (start, end] of its bucket, since a report carries the end of its interval, and is stamped with
// the start, as databases do it when they group by time.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "common/units.h"
#include "host/store/series_store.h"

namespace foreflow::store {

inline constexpr std::array<Resolution, 3> kTiers{Resolution::k1Min, Resolution::k5Min, Resolution::k1Hour};

// 0 for raw.
constexpr std::int64_t width_ns(Resolution tier) {
  constexpr auto kSecond = static_cast<std::int64_t>(kNanosPerSecond);
  return tier == Resolution::k1Min    ? 60 * kSecond
         : tier == Resolution::k5Min  ? 300 * kSecond
         : tier == Resolution::k1Hour ? 3'600 * kSecond
                                      : 0;
}

// Start of the bucket that a raw point with this time belongs to.
UnixNanos bucket_start(UnixNanos time, Resolution tier);

// One point per Tags. Deltas are summed; peaks, active connections, vCPUs and memory are the largest; vm_net gets the
// p95 (nearest rank) of its reports' offered rates. Points outside the bucket are left out.
std::vector<Point> aggregate(const std::vector<Point>& raw, Resolution tier, UnixNanos start);

}  // namespace foreflow::store
