// SPDX-License-Identifier: Apache-2.0
// InfluxQL for the two questions that SeriesStore asks, and the points in the answer.
// Place: host/store. Pure.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

// 'It\'s' and "a \"name\"": quoted so that no name can become InfluxQL.
std::string quote_literal(std::string_view text);
std::string quote_identifier(std::string_view name);

std::string range_query(const RangeQuery& query);
std::string last_query(Measurement measurement, const std::string& subject);

// JSON has one kind of number, and 3.0 comes as 3: ask for the types after the points, so that no field is missing.
std::string types_query(Measurement measurement, Resolution resolution);
using IntegerFields = std::set<std::string>;  // names as stored
Result<IntegerFields> parse_types(std::string_view json);

// The answer (epoch=ns) in order of time, then tags. kMalformed: not an answer of InfluxDB's; kUnavailable: an error
// that the server tells in it. A database or measurement that does not exist yet has no points.
Result<std::vector<Point>> parse_points(std::string_view json, Measurement measurement, Resolution resolution,
                                        const IntegerFields& integers);

}  // namespace foreflow::store
