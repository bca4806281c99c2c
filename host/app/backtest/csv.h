// SPDX-License-Identifier: Apache-2.0
// Tables of numbers in text files, plain or gzip: what the backtest reads and writes.
// Place: host/app/backtest. Errors name the file and the line.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow::backtest {

// Reads text line by line; gzip is recognised by its content, not by the name.
class LineReader {
 public:
  static Result<LineReader> open(const std::filesystem::path& path);
  // false at the end of the file. A line may be as long as memory allows; '\r' and '\n' at its end are removed.
  Result<bool> next(std::string& line);
  std::size_t line() const { return line_; }  // number of the line read last, from 1
  const std::filesystem::path& path() const { return path_; }

 private:
  LineReader(std::filesystem::path path, void* file);
  std::filesystem::path path_;
  std::unique_ptr<void, void (*)(void*)> file_;
  std::size_t line_ = 0;
};

// Writes text; a name that ends in .gz is compressed. What has been written is complete only after finish().
class TextWriter {
 public:
  static Result<TextWriter> open(const std::filesystem::path& path);
  void write(std::string_view text);
  // kIo when any of it could not be written.
  Status finish();

 private:
  TextWriter(std::filesystem::path path, void* file, bool compressed);
  std::filesystem::path path_;
  std::unique_ptr<void, void (*)(void*)> file_;
  bool compressed_;
  bool failed_ = false;
};

// The cells of one line: no quotes, as none of the formats here needs them.
std::vector<std::string_view> cells(std::string_view line);

// The whole cell as a number; nullopt otherwise. "nan" and "inf" are numbers here.
std::optional<double> number(std::string_view cell);

// Some columns of a file with a header, each a vector of numbers.
struct Columns {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;  // [column][row]
  // nullptr when the file had no such column.
  const std::vector<double>* find(std::string_view name) const;
};

// `required` must be there, `optional` may be. An empty cell of a column is NaN (a gap). kMalformed names the line.
Result<Columns> read_columns(const std::filesystem::path& path, const std::vector<std::string>& required,
                             const std::vector<std::string>& optional);

}  // namespace foreflow::backtest
