// SPDX-License-Identifier: Apache-2.0
#include "host/policy/window.h"

namespace foreflow::policy {
namespace {

constexpr std::uint64_t kDay = 86'400 * kNanosPerSecond;
constexpr std::uint64_t kWeek = 7 * kDay;

// The newest beginning at or before `time`; nullopt before the first.
std::optional<std::int64_t> newest_start(const Window& window, UnixNanos time) {
  if (time < window.from) return std::nullopt;
  if (window.every_ns == 0) return window.from.value;
  const auto period = static_cast<std::int64_t>(window.every_ns);
  return window.from.value + (time.value - window.from.value) / period * period;
}

}  // namespace

bool holds(const Window& window, UnixNanos time) {
  const auto start = newest_start(window, time);
  return start && time.value < *start + (window.to.value - window.from.value);
}

std::optional<UnixNanos> next_start(const Window& window, UnixNanos time) {
  if (time < window.from) return window.from;
  if (window.every_ns == 0) return std::nullopt;
  return UnixNanos{*newest_start(window, time) + static_cast<std::int64_t>(window.every_ns)};
}

std::optional<UnixNanos> next_change(const Window& window, UnixNanos time) {
  if (holds(window, time)) return UnixNanos{*newest_start(window, time) + (window.to.value - window.from.value)};
  return next_start(window, time);
}

Window read_window(TomlTable& table) {
  Window window;
  for (const auto* key : {"from", "to"}) table.require(key);
  table.read("from", window.from, parse_time);
  table.read("to", window.to, parse_time);
  table.read_word("every", window.every_ns, {{"day", kDay}, {"week", kWeek}});
  if (table.has("from") && table.has("to") && window.to <= window.from) table.error("to", "must be after `from`");
  const auto length = static_cast<std::uint64_t>(window.to.value - window.from.value);
  if (window.every_ns != 0 && window.to > window.from && length >= window.every_ns)
    table.error("to", "a rule that is repeated must end before it begins again");
  return window;
}

}  // namespace foreflow::policy
