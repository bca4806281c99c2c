// SPDX-License-Identifier: Apache-2.0
#include "common/units.h"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace foreflow {
namespace {

struct Quantity {
  double number;
  std::string_view unit;
};

// Splits `1.5Gbit` into 1.5 and `Gbit`. Only plain non-negative decimals: no exponent, no sign, no inf.
std::optional<Quantity> split(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) || text[end] == '.')) ++end;
  double number = 0;
  const auto [last, error] = std::from_chars(text.data(), text.data() + end, number, std::chars_format::fixed);
  if (end == 0 || error != std::errc{} || last != text.data() + end) return std::nullopt;
  while (end < text.size() && text[end] == ' ') ++end;
  return Quantity{number, text.substr(end)};
}

template <std::size_t N>
std::optional<double> lookup(const std::array<std::pair<std::string_view, double>, N>& table, std::string_view unit) {
  for (const auto& [name, factor] : table)
    if (name == unit) return factor;
  return std::nullopt;
}

std::optional<double> si_factor(std::string_view prefix) {
  static constexpr std::array<std::pair<std::string_view, double>, 6> kTable{
      {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}};
  return lookup(kTable, prefix);
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

std::optional<std::uint64_t> to_integer(double value) {
  if (!(value >= 0) || value >= 1.8e19) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(value));
}

std::string scaled(double value, std::string_view unit) {
  static constexpr std::array<std::string_view, 5> kPrefixes{"", "k", "M", "G", "T"};
  std::size_t step = 0;
  while (value >= 999.5 && step + 1 < kPrefixes.size()) {
    value /= 1000;
    ++step;
  }
  const int decimals = value >= 99.95 || step == 0 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}{}", value, decimals, kPrefixes[step], unit);
}

}  // namespace

Result<BytesPerSecond> parse_rate(std::string_view text) {
  if (text == "unlimited") return kUnlimited;
  if (const auto quantity = split(text)) {
    auto unit = quantity->unit;
    const bool bytes = strip_suffix(unit, "Bps") || strip_suffix(unit, "B/s") || strip_suffix(unit, "B");
    if (!bytes) strip_suffix(unit, "bit/s") || strip_suffix(unit, "bit") || strip_suffix(unit, "bps");
    if (const auto factor = si_factor(unit))
      if (const auto rate = to_integer(quantity->number * *factor / (bytes ? 1 : 8))) return BytesPerSecond{*rate};
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is not a rate; write bits per second such as 50M, 50Mbit or 1.5G, bytes per second "
                          "such as 6.25MB, or 'unlimited'",
                          text));
}

Result<Bytes> parse_bytes(std::string_view text) {
  if (const auto quantity = split(text)) {
    auto unit = quantity->unit;
    strip_suffix(unit, "B");
    double binary = 1;
    if (strip_suffix(unit, "i")) binary = unit == "k" || unit == "K" ? 1.024 : unit == "M" ? 1.048576 : 1.073741824;
    if (const auto factor = si_factor(unit))
      if (const auto size = to_integer(quantity->number * *factor * binary)) return Bytes{*size};
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is not a size; write for example 4096, 64k or 2MiB", text));
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
  if (const auto quantity = split(text))
    if (const auto factor = lookup(kUnits, quantity->unit))
      if (const auto nanos = to_integer(quantity->number * *factor)) return *nanos;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is not a duration; write for example 500ms, 10s, 5m or 2h", text));
}

std::string format_rate(BytesPerSecond rate) {
  if (rate == kUnlimited) return "unlimited";
  return scaled(static_cast<double>(rate.value) * 8, "bit/s");
}

std::string format_bytes(Bytes size) { return scaled(static_cast<double>(size.value), "B"); }

std::string format_time(UnixNanos time) {
  const std::time_t seconds = static_cast<std::time_t>(std::floor(static_cast<double>(time.value) / 1e9));
  const auto millis = (time.value - static_cast<std::int64_t>(seconds) * 1'000'000'000) / 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), millis);
}

Result<UnixNanos> parse_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const std::string copy(text);
  const int found =
      std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour, &minute, &second, &used);
  const bool whole = found == 6 && static_cast<std::size_t>(used) == copy.size() && copy.size() == 20;
  const bool date = found == 3 && copy.size() == 10;
  const std::chrono::year_month_day calendar{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                             std::chrono::day(static_cast<unsigned>(day))};
  const bool valid = calendar.ok() && year >= 1970 && year < 2200 && hour >= 0 && hour < 24 && minute >= 0 &&
                     minute < 60 && second >= 0 && second < 60;
  if ((whole || date) && valid) {
    const std::int64_t days = std::chrono::sys_days(calendar).time_since_epoch().count();
    const std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    return UnixNanos{seconds * static_cast<std::int64_t>(kNanosPerSecond)};
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is not a time in UTC; write for example 2026-12-01T08:00:00Z or 2026-12-01", text));
}

std::string exact_rate(BytesPerSecond rate) {
  static constexpr std::array<std::pair<std::uint64_t, char>, 3> kUnits{
      {{125'000'000, 'G'}, {125'000, 'M'}, {125, 'k'}}};
  if (rate == kUnlimited) return "unlimited";
  for (const auto& [unit, letter] : kUnits)
    if (rate.value != 0 && rate.value % unit == 0) return fmt::format("{}{}", rate.value / unit, letter);
  return fmt::format("{}B", rate.value);
}

std::string exact_duration(std::uint64_t nanos) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> kUnits{{{86'400 * kNanosPerSecond, "d"},
                                                                                     {3'600 * kNanosPerSecond, "h"},
                                                                                     {60 * kNanosPerSecond, "m"},
                                                                                     {kNanosPerSecond, "s"},
                                                                                     {1'000'000, "ms"},
                                                                                     {1'000, "us"}}};
  for (const auto& [unit, name] : kUnits)
    if (nanos != 0 && nanos % unit == 0) return fmt::format("{}{}", nanos / unit, name);
  return fmt::format("{}ns", nanos);
}

}  // namespace foreflow
