// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/labelled.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "host/app/backtest/csv.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  const char* const begin = text.data() + from;
  const auto [end, error] = std::from_chars(begin, begin + count, value);
  if (error != std::errc{} || end != begin + count || value < 0) return std::nullopt;
  return value;
}

bool is_series(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(".csv") || name.ends_with(".csv.gz");
}

// Adds one row; what is wrong with it otherwise.
std::string add_row(TimedSeries& series, std::string_view timestamp, std::string_view value) {
  const auto seconds = seconds_of(timestamp);
  if (!seconds) return fmt::format("timestamp '{}', not YYYY-MM-DD HH:MM:SS or seconds", timestamp);
  const auto parsed = value.empty() ? std::optional(std::numeric_limits<double>::quiet_NaN()) : number(value);
  if (!parsed) return fmt::format("column 'value' is '{}', not a number", value);
  series.timestamps.emplace_back(timestamp);
  series.seconds.push_back(*seconds);
  series.values.push_back(*parsed);
  return {};
}

Result<TimedSeries> read_timed(const fs::path& file, std::string name) {
  auto reader = LineReader::open(file);
  if (!reader) return tl::unexpected(reader.error());
  TimedSeries series{.name = std::move(name), .timestamps = {}, .seconds = {}, .values = {}};
  std::string line;
  std::size_t columns = 0;
  std::size_t time = 0;
  std::size_t value = 0;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    const auto row = cells(line);
    if (reader->line() == 1) {
      columns = row.size();
      time = static_cast<std::size_t>(std::ranges::find(row, "timestamp") - row.begin());
      value = static_cast<std::size_t>(std::ranges::find(row, "value") - row.begin());
      if (std::max(time, value) < columns) continue;
      return fail(ErrorCode::kMalformed, fmt::format("{}:1: needs the columns 'timestamp' and 'value'", file.string()));
    }
    const std::string wrong = row.size() == columns ? add_row(series, row[time], row[value])
                                                    : fmt::format("{} columns, the header has {}", row.size(), columns);
    if (!wrong.empty())
      return fail(ErrorCode::kMalformed, fmt::format("{}:{}: {}", file.string(), reader->line(), wrong));
  }
  return series;
}

}  // namespace

std::optional<std::int64_t> seconds_of(std::string_view timestamp) {
  if (const auto plain = number(timestamp)) {
    constexpr double kMost = 1e15;
    if (!std::isfinite(*plain) || std::abs(*plain) > kMost) return std::nullopt;
    return std::llround(*plain);
  }
  constexpr std::size_t kLength = 19;
  if (timestamp.size() < kLength) return std::nullopt;
  const auto year = digits(timestamp, 0, 4);
  const auto month = digits(timestamp, 5, 2);
  const auto day = digits(timestamp, 8, 2);
  const auto hour = digits(timestamp, 11, 2);
  const auto minute = digits(timestamp, 14, 2);
  const auto second = digits(timestamp, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto midnight = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(midnight).count() + (*hour * 60 + *minute) * 60 + *second;
}

Result<std::vector<TimedSeries>> read_timed_folder(const fs::path& folder) {
  const fs::path root = fs::is_directory(folder / "data") ? folder / "data" : folder;
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
    if (entry->is_regular_file() && is_series(entry->path())) files.push_back(entry->path());
  if (error) return fail(ErrorCode::kNotFound, fmt::format("{}: {}", root.string(), error.message()));
  if (files.empty()) return fail(ErrorCode::kNotFound, fmt::format("{}: no .csv or .csv.gz file", root.string()));
  std::ranges::sort(files);
  std::vector<TimedSeries> all;
  for (const fs::path& file : files) {
    auto series = read_timed(file, file.lexically_relative(root).generic_string());
    if (!series) return tl::unexpected(series.error());
    all.push_back(std::move(*series));
  }
  return all;
}

}  // namespace foreflow::backtest
