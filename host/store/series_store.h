// SPDX-License-Identifier: Apache-2.0
// Time series of the fleet: one interface, several databases, one contract test.
// Place: host/store. SqliteStore is the default; InfluxStore speaks line protocol.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.h"
#include "common/units.h"

namespace foreflow::store {

enum class Measurement : std::uint8_t { kVmNet, kVmApp, kVmGuest, kVmProfile, kVmForecast, kVmAlloc, kDataplane };
std::string_view to_string(Measurement measurement);  // "vm_net", ...

// Raw = as reported; the others are computed by the manager (Rollup).
enum class Resolution : std::uint8_t { kRaw, k1Min, k5Min, k1Hour };

struct Tags {
  std::string host;
  std::string dpu;
  std::string vm;  // empty for kDataplane
  auto operator<=>(const Tags&) const = default;
};

// Integers are deltas per interval or rates; doubles are derived figures. No NaN, no infinity.
using Value = std::variant<std::int64_t, double>;

struct Point {
  Measurement measurement = Measurement::kVmNet;
  Resolution resolution = Resolution::kRaw;
  Tags tags;
  UnixNanos time;
  std::vector<std::pair<std::string, Value>> fields;  // names as in host/store/fields.h
  bool operator==(const Point&) const = default;
};

// Identity of a report; points and watermark become durable together.
struct Watermark {
  std::string dataplane;
  std::uint64_t boot_id = 0;
  std::uint64_t sequence = 0;
};

struct RangeQuery {
  Measurement measurement = Measurement::kVmNet;
  Resolution resolution = Resolution::kRaw;
  std::string vm;  // or the dataplane's id for kDataplane
  UnixNanos from;  // inclusive
  UnixNanos to;    // exclusive
};

// Thread safety: all members from any thread.
class SeriesStore {
 public:
  virtual ~SeriesStore() = default;

  // When it returns, the points survive a crash and the watermark has moved. A point with the time and tags of an older
  // one replaces the fields it names and leaves the others (so repeating a report changes nothing, and each lead of a
  // forecast joins the row of its target time). kMalformed: the points can never be stored, nothing was; kUnavailable
  // or kExhausted: try again.
  virtual Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) = 0;

  // In order of time, then tags; the fields of a point in order of name. Contains what append() acknowledged, also
  // right after reopening.
  virtual Result<std::vector<Point>> range(const RangeQuery& query) = 0;

  // The newest raw point of a VM (or dataplane), if any.
  virtual Result<std::optional<Point>> last(Measurement measurement, const std::string& vm) = 0;

  // Highest sequence made durable for this boot of a dataplane; 0 when none.
  virtual Result<std::uint64_t> watermark(const std::string& dataplane, std::uint64_t boot_id) = 0;

  // For an operator: "sqlite /var/lib/foreflow/series.db", pending and rejected points.
  struct Health {
    std::string description;
    std::uint64_t pending_points = 0;   // acknowledged, in the manager's disk buffer, not yet in the database
    std::uint64_t rejected_points = 0;  // refused by the database for good, or lost on disk
    std::string last_error;
  };
  virtual Health health() const = 0;
};

}  // namespace foreflow::store
