// SPDX-License-Identifier: Apache-2.0
#include "host/store/line_protocol.h"

#include <optional>

#include <fmt/format.h>

namespace foreflow::store {
namespace {

bool needs_encoding(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '%' || c == '\\' || c == '"';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

void append_escaped(std::string& out, std::string_view name) {
  for (const char c : encode_name(name)) {
    if (c == ' ' || c == ',' || c == '=') out.push_back('\\');
    out.push_back(c);
  }
}

void append_tag(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.append(",").append(key).append("=");
  append_escaped(out, value);
}

void append_value(std::string& out, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    fmt::format_to(std::back_inserter(out), "{}i", *integer);
  else
    fmt::format_to(std::back_inserter(out), "{}", std::get<double>(value));
}

}  // namespace

std::string line_measurement(Measurement measurement, Resolution resolution) {
  std::string name(to_string(measurement));
  switch (resolution) {
    case Resolution::kRaw:
      break;
    case Resolution::k1Min:
      name += "_1m";
      break;
    case Resolution::k5Min:
      name += "_5m";
      break;
    case Resolution::k1Hour:
      name += "_1h";
      break;
  }
  return name;
}

std::string encode_name(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    if (needs_encoding(c))
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    else
      out.push_back(c);
  }
  return out;
}

std::string decode_name(std::string_view stored) {
  std::string out;
  out.reserve(stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] == '%' && i + 2 < stored.size()) {
      const auto high = hex_digit(stored[i + 1]), low = hex_digit(stored[i + 2]);
      if (high && low) {
        out.push_back(static_cast<char>(*high * 16 + *low));
        i += 2;
        continue;
      }
    }
    out.push_back(stored[i]);
  }
  return out;
}

void append_line(std::string& out, const Point& point) {
  out += line_measurement(point.measurement, point.resolution);
  append_tag(out, "dpu", point.tags.dpu);
  append_tag(out, "host", point.tags.host);
  append_tag(out, "vm", point.tags.vm);
  char separator = ' ';
  for (const auto& [name, value] : point.fields) {
    out.push_back(separator);
    append_escaped(out, name);
    out.push_back('=');
    append_value(out, value);
    separator = ',';
  }
  fmt::format_to(std::back_inserter(out), " {}\n", point.time.value);
}

std::string to_lines(const std::vector<Point>& points) {
  std::string lines;
  for (const auto& point : points) append_line(lines, point);
  return lines;
}

}  // namespace foreflow::store
