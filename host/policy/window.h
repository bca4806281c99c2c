// SPDX-License-Identifier: Apache-2.0
// When a rule of a policy holds: once, or again every day or week.
// Place: host/policy. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "common/toml_reader.h"
#include "common/units.h"

namespace foreflow::policy {

// Holds in [from, to), and again every `every_ns` after it.
struct Window {
  UnixNanos from;
  UnixNanos to;
  std::uint64_t every_ns = 0;  // 0 = once
  bool operator==(const Window&) const = default;
};

bool holds(const Window& window, UnixNanos time);
// The next time after `time` at which it begins or ends; nullopt: never again.
std::optional<UnixNanos> next_change(const Window& window, UnixNanos time);
// The next time after `time` at which it begins.
std::optional<UnixNanos> next_start(const Window& window, UnixNanos time);

// The keys `from`, `to` and `every` of a table, which the caller finishes.
Window read_window(TomlTable& table);

}  // namespace foreflow::policy
