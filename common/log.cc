// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <atomic>
#include <cstdio>

#include "common/clock.h"

namespace foreflow::log {
namespace {

constexpr std::size_t kLongestValue = 1024;
std::atomic<Level> threshold{Level::kInfo};

constexpr std::string_view name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

bool is_plain(std::string_view value) {
  for (const char c : value)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7f) return false;
  return !value.empty();
}

void append_value(std::string& line, std::string_view value) {
  value = value.substr(0, kLongestValue);
  if (is_plain(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      line.append({'\\', c});
    else if (byte < 0x20 || byte == 0x7f)
      line += fmt::format("\\x{:02x}", byte);
    else
      line += c;
  }
  line += '"';
}

}  // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  std::string line = fmt::format("{} level={} msg=", format_time(SystemClock{}.now()), name(level));
  append_value(line, message);
  for (const auto& field : fields) {
    line += fmt::format(" {}=", field.key);
    append_value(line, field.value);
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace foreflow::log
