// SPDX-License-Identifier: Apache-2.0
#include "host/store/influx_query.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/store/influx_answer.h"
#include "host/store/line_protocol.h"

namespace foreflow::store {
namespace {

using nlohmann::json;

// What InfluxDB can name in a time condition.
constexpr std::int64_t kEarliest = -9'223'372'036'854'775'806;
constexpr std::int64_t kLatest = 9'223'372'036'854'775'806;

std::string quote(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark || c == '\\') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
  out.push_back(mark);
  return out;
}

std::string subject_is(Measurement measurement, std::string_view subject) {
  return fmt::format("\"{}\" = {}", measurement == Measurement::kDataplane ? "dpu" : "vm",
                     quote_literal(encode_name(subject)));
}

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const json& array_member(const json& object, const char* key) {
  static const json kNone = json::array();
  const auto* found = member(object, key);
  return found != nullptr && found->is_array() ? *found : kNone;
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kMalformed, fmt::format("the database's answer {}", what));
}

struct Shape {
  Measurement measurement;
  Resolution resolution;
  const IntegerFields& integers;
};

// The series of the one result; none when the database does not exist yet.
Result<json> series_of(std::string_view text) {
  const auto answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded() || !answer.is_object()) return malformed("is not JSON");
  const auto& results = array_member(answer, "results");
  for (const auto* holder : {&answer, results.empty() ? &answer : &results[0]}) {
    const auto* error = member(*holder, "error");
    if (error == nullptr) continue;
    if (text_of(*error).starts_with("database not found")) return json::array();
    return fail(ErrorCode::kUnavailable, "the database answers: " + short_reason(text_of(*error)));
  }
  if (results.size() != 1) return malformed("does not have the one result that was asked for");
  return array_member(results[0], "series");
}

Tags tags_of(const json& series) {
  const auto* found = member(series, "tags");
  if (found == nullptr) return {};
  const auto tag = [&](const char* key) {
    const auto* value = member(*found, key);
    return value == nullptr ? std::string() : decode_name(text_of(*value));
  };
  return Tags{tag("host"), tag("dpu"), tag("vm")};
}

Result<Value> value_of(const json& cell, bool integer) {
  if (integer && cell.is_number_integer()) return cell.get<std::int64_t>();
  if (cell.is_number()) return cell.get<double>();
  return malformed("has a field that is no number");
}

Status read_series(const json& series, const Shape& shape, std::vector<Point>& points) {
  const auto& columns = array_member(series, "columns");
  if (columns.empty() || columns[0] != "time") return malformed("has a series without times");
  const auto tags = tags_of(series);
  for (const auto& row : array_member(series, "values")) {
    if (!row.is_array() || row.size() != columns.size() || !row[0].is_number_integer())
      return malformed("has a row that does not fit its columns");
    Point point{shape.measurement, shape.resolution, tags, UnixNanos{row[0].get<std::int64_t>()}, {}};
    for (std::size_t i = 1; i < columns.size(); ++i) {
      if (row[i].is_null()) continue;
      const auto stored = text_of(columns[i]);
      const auto value = value_of(row[i], shape.integers.contains(stored));
      if (!value) return tl::unexpected(value.error());
      point.fields.emplace_back(decode_name(stored), *value);
    }
    std::sort(point.fields.begin(), point.fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    points.push_back(std::move(point));
  }
  return {};
}

}  // namespace

std::string quote_literal(std::string_view text) { return quote(text, '\''); }
std::string quote_identifier(std::string_view name) { return quote(name, '"'); }

std::string range_query(const RangeQuery& query) {
  return fmt::format(R"(SELECT *::field FROM "{}" WHERE {} AND time >= {} AND time < {} GROUP BY "host", "dpu", "vm")",
                     line_measurement(query.measurement, query.resolution), subject_is(query.measurement, query.vm),
                     std::clamp(query.from.value, kEarliest, kLatest), std::clamp(query.to.value, kEarliest, kLatest));
}

std::string last_query(Measurement measurement, const std::string& subject) {
  return fmt::format(R"(SELECT *::field FROM "{}" WHERE {} GROUP BY "host", "dpu", "vm" ORDER BY time DESC LIMIT 1)",
                     line_measurement(measurement, Resolution::kRaw), subject_is(measurement, subject));
}

std::string types_query(Measurement measurement, Resolution resolution) {
  return fmt::format(R"(SHOW FIELD KEYS FROM "{}")", line_measurement(measurement, resolution));
}

Result<IntegerFields> parse_types(std::string_view text) {
  const auto all = series_of(text);
  if (!all) return tl::unexpected(all.error());
  IntegerFields names;
  for (const auto& series : *all)
    for (const auto& row : array_member(series, "values"))
      if (row.is_array() && row.size() == 2 && row[1] == "integer") names.insert(text_of(row[0]));
  return names;
}

Result<std::vector<Point>> parse_points(std::string_view text, Measurement measurement, Resolution resolution,
                                        const IntegerFields& integers) {
  const auto all = series_of(text);
  if (!all) return tl::unexpected(all.error());
  const Shape shape{measurement, resolution, integers};
  std::vector<Point> points;
  for (const auto& series : *all)
    if (const auto read = read_series(series, shape, points); !read) return tl::unexpected(read.error());
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return std::tie(a.time, a.tags) < std::tie(b.time, b.tags); });
  return points;
}

}  // namespace foreflow::store
