// SPDX-License-Identifier: Apache-2.0
#include "host/cli/table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

namespace foreflow::cli {
namespace {

// UTF-8 continuation bytes take no place.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> columns) : columns_(std::move(columns)) {
  for (auto& column : columns_) {
    right_.push_back(column.starts_with('>'));
    if (right_.back()) column.erase(0, 1);
  }
}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& column : columns_) widths.push_back(width(column));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string out;
  const auto put = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (right_[i] ? pad + row[i] : row[i] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  put(columns_);
  for (const auto& row : rows_) put(row);
  return out;
}

std::string sparkline(const std::vector<double>& values, double most) {
  static constexpr std::array<std::string_view, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string line;
  for (const auto value : values) {
    const auto level = most > 0 ? std::lround(value / most * (kBlocks.size() - 1)) : 0;
    line += kBlocks[static_cast<std::size_t>(std::clamp<long>(level, 0, kBlocks.size() - 1))];
  }
  return line;
}

std::string rate_text(std::uint64_t bytes_per_second) { return format_rate(BytesPerSecond{bytes_per_second}); }

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string yes_or_dash(bool value) { return value ? "yes" : "-"; }

std::string clock_text(std::int64_t unix_nanos) {
  return unix_nanos == 0 ? "-" : format_time(UnixNanos{unix_nanos}).substr(11, 8);
}

std::string printable(std::string_view text) {
  std::string clean(text);
  for (auto& c : clean)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return clean;
}

}  // namespace foreflow::cli
