// SPDX-License-Identifier: Apache-2.0
// Tables for a terminal: columns as wide as their widest cell, numbers to the right.
// Place: host/cli.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/units.h"

namespace foreflow::cli {

class Table {
 public:
  // A column whose name begins with '>' is aligned to the right.
  explicit Table(std::vector<std::string> columns);
  void add(std::vector<std::string> cells);  // as many as there are columns
  // Ends with a newline; bytes that could steer a terminal are replaced.
  std::string text() const;

 private:
  std::vector<std::string> columns_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// Values between 0 and `most` as one block character each.
std::string sparkline(const std::vector<double>& values, double most);

std::string rate_text(std::uint64_t bytes_per_second);
// "85 %" of an allocation; "-" when there is none.
std::string percent_text(std::uint64_t part, std::uint64_t whole);
std::string yes_or_dash(bool value);
// "12:00:05" in UTC; "-" for 0.
std::string clock_text(std::int64_t unix_nanos);
// Foreign text without control characters.
std::string printable(std::string_view text);

}  // namespace foreflow::cli
