// SPDX-License-Identifier: Apache-2.0
#include "host/store/aggregate.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "host/store/fields.h"

namespace foreflow::store {
namespace {

bool keeps_the_largest(std::string_view name) {
  return name.ends_with(field::kPeak10ms) || name.ends_with(field::kPeak1ms) || name == field::kConnectionsActive ||
         name == field::kVcpus || name.ends_with(field::kLongestUs) || name.starts_with("memory_");
}

Value sum(const Value& a, const Value& b) {
  const auto* left = std::get_if<std::int64_t>(&a);
  const auto* right = std::get_if<std::int64_t>(&b);
  if (left == nullptr || right == nullptr) {
    const auto real = [](const Value& value) {
      return std::visit([](auto v) { return static_cast<double>(v); }, value);
    };
    return real(a) + real(b);
  }
  std::int64_t result = 0;
  if (__builtin_add_overflow(*left, *right, &result))
    result = *right > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  return result;
}

std::optional<std::int64_t> integer(const Point& point, std::string_view name) {
  for (const auto& [key, value] : point.fields)
    if (key == name) {
      const auto* found = std::get_if<std::int64_t>(&value);
      return found == nullptr ? std::nullopt : std::optional(*found);
    }
  return std::nullopt;
}

class Accumulator {
 public:
  void add(const Point& point) {
    for (const auto& [name, value] : point.fields) {
      const auto [known, fresh] = fields_.emplace(name, value);
      if (!fresh) known->second = keeps_the_largest(name) ? std::max(known->second, value) : sum(known->second, value);
    }
    if (point.measurement != Measurement::kVmNet) return;
    for (const auto direction : kBothDirections)
      if (const auto rate = offered_rate(point, direction)) rates_[index(direction)].push_back(*rate);
  }

  std::vector<std::pair<std::string, Value>> fields() && {
    for (const auto direction : kBothDirections)
      if (auto& rates = rates_[index(direction)]; !rates.empty())
        fields_[field::directed(direction, field::kP95Rate)] = p95(rates);
    return {std::make_move_iterator(fields_.begin()), std::make_move_iterator(fields_.end())};
  }

 private:
  static std::optional<std::int64_t> offered_rate(const Point& point, Direction direction) {
    const auto bytes = integer(point, field::directed(direction, field::kOfferedBytes));
    const auto interval = integer(point, field::kIntervalMs);
    if (!bytes || !interval || *bytes < 0 || *interval <= 0) return std::nullopt;
    const auto rate = static_cast<unsigned __int128>(*bytes) * 1'000 / static_cast<unsigned __int128>(*interval);
    return rate > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(rate);
  }

  static std::int64_t p95(std::vector<std::int64_t>& rates) {
    const auto rank = (rates.size() * 95 + 99) / 100 - 1;
    std::nth_element(rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(rank), rates.end());
    return rates[rank];
  }

  std::map<std::string, Value> fields_;
  std::array<std::vector<std::int64_t>, kDirections> rates_;
};

}  // namespace

UnixNanos bucket_start(UnixNanos time, Resolution tier) {
  const auto width = width_ns(tier);
  if (width == 0) return time;
  // (start, end]: the last nanosecond of an interval decides. No bucket begins before what an int64 can name.
  const auto last = std::max(time.value, std::numeric_limits<std::int64_t>::min() + 2 * width) - 1;
  const auto remainder = last % width;
  return UnixNanos{last - (remainder < 0 ? remainder + width : remainder)};
}

std::vector<Point> aggregate(const std::vector<Point>& raw, Resolution tier, UnixNanos start) {
  std::map<std::pair<Measurement, Tags>, Accumulator> series;
  for (const auto& point : raw)
    if (bucket_start(point.time, tier) == start) series[{point.measurement, point.tags}].add(point);
  std::vector<Point> points;
  points.reserve(series.size());
  for (auto& [key, accumulator] : series)
    points.push_back(Point{key.first, tier, key.second, start, std::move(accumulator).fields()});
  return points;
}

}  // namespace foreflow::store
