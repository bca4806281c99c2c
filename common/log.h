// SPDX-License-Identifier: Apache-2.0
// Log lines as key=value on stderr: `2026-01-31T12:00:00.000Z level=info msg="port started" port=web`.
// Place: common; control and session code only, never per packet. Thread safety: lines never interleave.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace foreflow::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct Field {
  template <typename T>
  Field(std::string_view name, const T& v) : key(name), value(fmt::format("{}", v)) {}
  std::string_view key;
  std::string value;
};

// Lines below `level` are dropped. Default: info.
void set_level(Level level);

// Quotes and escapes values that need it, so that a foreign string can never forge a line. Values over 1,024 bytes are
// cut. Callers pass no secrets.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kWarning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kError, message, fields);
}

}  // namespace foreflow::log
