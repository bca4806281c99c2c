// SPDX-License-Identifier: Apache-2.0
// Units as types, and the one way in which operators write and read them.
// Place: common. Rates inside Foreflow are bytes per second of L2 frames without FCS; operators see bits per second.
#pragma once
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/result.h"

namespace foreflow {

struct Bytes {
  std::uint64_t value = 0;
  auto operator<=>(const Bytes&) const = default;
};

struct BytesPerSecond {
  std::uint64_t value = 0;
  auto operator<=>(const BytesPerSecond&) const = default;
};

// Wall-clock time, nanoseconds since 1970-01-01T00:00:00Z. Packet time (TSC or capture) is a plain uint64_t now_ns.
struct UnixNanos {
  std::int64_t value = 0;
  auto operator<=>(const UnixNanos&) const = default;
};

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr BytesPerSecond kUnlimited{std::numeric_limits<std::uint64_t>::max()};

// Parses a rate. Bits per second: `50M`, `50Mbit`, `1.5G`, `800k`, `1000` (SI multipliers k M G T); bytes per second
// when it ends in `B` or `Bps`: `6.25MB`; `unlimited`. Error kInvalidArgument quotes the text and the accepted forms.
Result<BytesPerSecond> parse_rate(std::string_view text);

// Parses a size: `64k`, `1.5M` (SI), `2MiB`, `4096`, with or without a final `B`.
Result<Bytes> parse_bytes(std::string_view text);

// Parses a duration to nanoseconds: `500ms`, `10s`, `5m`, `2h`, `7d`, `100us`, `50ns`.
Result<std::uint64_t> parse_duration(std::string_view text);

// `93.4 Mbit/s`; three significant digits; `unlimited` for kUnlimited.
std::string format_rate(BytesPerSecond rate);
// `1.25 MB`.
std::string format_bytes(Bytes size);
// RFC 3339 in UTC with milliseconds.
std::string format_time(UnixNanos time);

// Parses RFC 3339 in UTC, from 1970 to 2199: `2026-12-01T08:00:00Z`, or a day alone: `2026-12-01`.
Result<UnixNanos> parse_time(std::string_view text);

// The same value again when it is parsed: `50M`, `1250B` (bytes per second), `unlimited`; `2h`, `800ms`.
std::string exact_rate(BytesPerSecond rate);
std::string exact_duration(std::uint64_t nanos);

}  // namespace foreflow
