// SPDX-License-Identifier: Apache-2.0
// Points as lines of InfluxDB's line protocol, and the names that they carry.
// Place: host/store. Pure.
// Source: InfluxDB 1.x line protocol reference; precision is nanoseconds.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "host/store/series_store.h"

namespace foreflow::store {

// "vm_net", "vm_net_1m": each resolution is a measurement of its own.
std::string line_measurement(Measurement measurement, Resolution resolution);

// Line protocol has no way to write a line break, and a backslash or a quote means different things in different
// places. Those, control characters and '%' become %XX, so that every name comes back as it went.
std::string encode_name(std::string_view name);
std::string decode_name(std::string_view stored);

// One line per point, each ended by '\n'. Empty tags are left out. The points have passed check().
void append_line(std::string& out, const Point& point);
std::string to_lines(const std::vector<Point>& points);

}  // namespace foreflow::store
