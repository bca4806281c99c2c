// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/csv.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

namespace foreflow::backtest {
namespace {

constexpr unsigned kBuffer = 1U << 17;
constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

void close_gzip(void* file) { gzclose(static_cast<gzFile>(file)); }
void close_plain(void* file) { std::fclose(static_cast<std::FILE*>(file)); }

}  // namespace

LineReader::LineReader(std::filesystem::path path, void* file) : path_(std::move(path)), file_(file, close_gzip) {}

Result<LineReader> LineReader::open(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  gzbuffer(file, kBuffer);
  return LineReader(path, file);
}

Result<bool> LineReader::next(std::string& line) {
  line.clear();
  char piece[4096];
  auto* const file = static_cast<gzFile>(file_.get());
  while (gzgets(file, piece, sizeof(piece)) != nullptr) {
    line += piece;
    if (line.back() == '\n') break;
  }
  int code = Z_OK;
  const char* reason = gzerror(file, &code);
  if (code != Z_OK && code != Z_STREAM_END)
    return fail(ErrorCode::kMalformed, fmt::format("{}:{}: {}", path_.string(), line_ + 1, reason));
  if (line.empty()) return false;
  ++line_;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return true;
}

TextWriter::TextWriter(std::filesystem::path path, void* file, bool compressed)
    : path_(std::move(path)), file_(file, compressed ? close_gzip : close_plain), compressed_(compressed) {}

Result<TextWriter> TextWriter::open(const std::filesystem::path& path) {
  const bool compressed = path.extension() == ".gz";
  void* file =
      compressed ? static_cast<void*>(gzopen(path.c_str(), "wb1")) : static_cast<void*>(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  return TextWriter(path, file, compressed);
}

void TextWriter::write(std::string_view text) {
  if (text.empty()) return;
  const bool written =
      compressed_ ? gzwrite(static_cast<gzFile>(file_.get()), text.data(), static_cast<unsigned>(text.size())) > 0
                  : std::fwrite(text.data(), 1, text.size(), static_cast<std::FILE*>(file_.get())) == text.size();
  failed_ = failed_ || !written;
}

Status TextWriter::finish() {
  void* file = file_.release();
  const bool closed =
      compressed_ ? gzclose(static_cast<gzFile>(file)) == Z_OK : std::fclose(static_cast<std::FILE*>(file)) == 0;
  if (failed_ || !closed)
    return fail(ErrorCode::kIo,
                fmt::format("{}: could not be written whole: {}", path_.string(), std::strerror(errno)));
  return {};
}

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> found;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(',', begin);
    found.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return found;
    begin = end + 1;
  }
}

std::optional<double> number(std::string_view cell) {
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

const std::vector<double>* Columns::find(std::string_view name) const {
  const auto place = std::ranges::find(names, name);
  return place == names.end() ? nullptr : &values[static_cast<std::size_t>(place - names.begin())];
}

Result<Columns> read_columns(const std::filesystem::path& path, const std::vector<std::string>& required,
                             const std::vector<std::string>& optional) {
  auto reader = LineReader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  std::string line;
  const auto first = reader->next(line);
  if (!first) return tl::unexpected(first.error());
  if (!*first) return fail(ErrorCode::kMalformed, fmt::format("{}: empty; a header line is needed", path.string()));
  const std::string header = line;
  const auto titles = cells(header);
  Columns columns;
  std::vector<std::size_t> places;
  auto want = [&](const std::string& name) {
    const auto place = std::ranges::find(titles, name);
    if (place == titles.end()) return false;
    columns.names.push_back(name);
    places.push_back(static_cast<std::size_t>(place - titles.begin()));
    return true;
  };
  for (const std::string& name : required)
    if (!want(name))
      return fail(ErrorCode::kMalformed,
                  fmt::format("{}:1: no column '{}'; the header is '{}'", path.string(), name, header));
  for (const std::string& name : optional) want(name);
  columns.values.resize(places.size());

  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return columns;
    const auto row = cells(line);
    if (row.size() != titles.size())
      return fail(ErrorCode::kMalformed, fmt::format("{}:{}: {} columns, the header has {}", path.string(),
                                                     reader->line(), row.size(), titles.size()));
    for (std::size_t c = 0; c < places.size(); ++c) {
      const std::string_view cell = row[places[c]];
      const auto value = cell.empty() ? std::optional(kGap) : number(cell);
      if (!value)
        return fail(ErrorCode::kMalformed, fmt::format("{}:{}: column '{}' is '{}', not a number", path.string(),
                                                       reader->line(), columns.names[c], cell));
      columns.values[c].push_back(*value);
    }
  }
}

}  // namespace foreflow::backtest
