// SPDX-License-Identifier: Apache-2.0
// Where a moment lies in the hour, the day and the week.
// Place: predictor/series. Thread safety: pure functions. Times: seconds since 1970 (UTC); the offset of the local zone
// is the caller's, so that a clock change of the zone is one as well.
#pragma once
#include <cstdint>

namespace foreflow::predictor {

inline constexpr std::int64_t kSecondsPerHour = 3'600;
inline constexpr std::int64_t kSecondsPerDay = 86'400;
inline constexpr std::int64_t kDaysPerWeek = 7;

// Quotient and remainder that go on evenly below zero, unlike / and %.
constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}
constexpr std::int64_t floor_remainder(std::int64_t value, std::int64_t by) {
  return value - floor_divide(value, by) * by;
}

struct CalendarPlace {
  std::uint32_t second_of_day = 0;   // 0 .. 86399
  std::uint32_t minute_of_hour = 0;  // 0 .. 59
  std::uint32_t weekday = 0;         // 0 = Monday .. 6 = Sunday
  bool operator==(const CalendarPlace&) const = default;
};

constexpr CalendarPlace calendar_place(std::int64_t time, std::int64_t utc_offset = 0) {
  constexpr std::int64_t kWeekdayOf1970 = 3;  // a Thursday
  const std::int64_t second = floor_remainder(time + utc_offset, kSecondsPerDay);
  const std::int64_t day = floor_divide(time + utc_offset, kSecondsPerDay);
  return {.second_of_day = static_cast<std::uint32_t>(second),
          .minute_of_hour = static_cast<std::uint32_t>(second % kSecondsPerHour / 60),
          .weekday = static_cast<std::uint32_t>(floor_remainder(day + kWeekdayOf1970, kDaysPerWeek))};
}

}  // namespace foreflow::predictor
