// SPDX-License-Identifier: Apache-2.0
#include "host/store/check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace foreflow::store {
namespace {

// Length of the sequence that starts at `text`, 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool beyond = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

std::optional<std::string> name_fault(std::string_view name) {
  if (name.size() > kLongestName)
    return fmt::format("is {} bytes long, at most {} are stored", name.size(), kLongestName);
  if (!is_utf8(name)) return "is not UTF-8";
  return std::nullopt;
}

std::optional<std::string> tags_fault(const Point& point) {
  for (const auto* tag : {&point.tags.host, &point.tags.dpu, &point.tags.vm})
    if (const auto fault = name_fault(*tag)) return "a tag " + *fault;
  if (point.measurement == Measurement::kDataplane) {
    if (!point.tags.vm.empty()) return "a dataplane's point has a VM";
    if (point.tags.dpu.empty()) return "a dataplane's point lacks the dataplane's id";
  } else if (point.tags.vm.empty()) {
    return "a VM's point lacks the VM's name";
  }
  return std::nullopt;
}

std::optional<std::string> fields_fault(const Point& point) {
  if (point.fields.empty()) return "it has no fields";
  if (point.fields.size() > kMostFields)
    return fmt::format("it has {} fields, at most {} are stored", point.fields.size(), kMostFields);
  std::vector<std::string_view> names;
  names.reserve(point.fields.size());
  for (const auto& [name, value] : point.fields) {
    if (name.empty()) return "a field has no name";
    if (const auto fault = name_fault(name)) return "a field's name " + *fault;
    const auto* real = std::get_if<double>(&value);
    if (real && !std::isfinite(*real)) return fmt::format("field {} is {}, not a finite number", name, *real);
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    return fmt::format("field {} is there twice", *twice);
  return std::nullopt;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Status check(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto fault = tags_fault(points[i]);
    if (!fault) fault = fields_fault(points[i]);
    if (fault)
      return fail(ErrorCode::kMalformed,
                  fmt::format("point {} ({}) cannot be stored: {}", i, to_string(points[i].measurement), *fault));
  }
  if (!watermark) return {};
  if (const auto fault = name_fault(watermark->dataplane))
    return fail(ErrorCode::kMalformed, "the dataplane's id of a watermark " + *fault);
  if (watermark->sequence > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(ErrorCode::kMalformed, fmt::format("sequence {} of a report is over 2^63", watermark->sequence));
  return {};
}

}  // namespace foreflow::store
