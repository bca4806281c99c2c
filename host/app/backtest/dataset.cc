// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/dataset.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "host/app/backtest/csv.h"

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr double kStep = 300;  // seconds

std::string series_name(const fs::path& file) {
  const std::string name = file.filename().string();
  for (const std::string ending : {".csv.gz", ".csv"})
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  return {};
}

std::string manifest_file(const fs::path& folder) {
  for (const char* name : {"manifest.csv", "manifest.csv.gz"})
    if (fs::exists(folder / name)) return folder / name;
  return {};
}

Result<std::map<std::string, std::string>> read_kinds(const fs::path& folder) {
  std::map<std::string, std::string> kinds;
  const std::string file = manifest_file(folder);
  if (file.empty()) return kinds;
  auto reader = LineReader::open(file);
  if (!reader) return tl::unexpected(reader.error());
  std::string line;
  std::ptrdiff_t series = -1;
  std::ptrdiff_t kind = -1;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return kinds;
    const auto row = cells(line);
    if (reader->line() == 1) {
      series = std::ranges::find(row, "series") - row.begin();
      kind = std::ranges::find(row, "kind") - row.begin();
    }
    if (std::max(series, kind) >= std::ssize(row))
      return fail(ErrorCode::kMalformed,
                  fmt::format("{}:{}: needs the columns 'series' and 'kind'", file, reader->line()));
    kinds.emplace(row[static_cast<std::size_t>(series)], row[static_cast<std::size_t>(kind)]);
  }
}

// `time_s` is the end of the first row's interval.
std::size_t first_phase(const std::vector<double>* time) {
  if (time == nullptr || time->empty() || !std::isfinite(time->front())) return 0;
  const double steps = std::fmod(std::round(time->front() / kStep) - 1, static_cast<double>(kDay));
  return static_cast<std::size_t>(steps < 0 ? steps + static_cast<double>(kDay) : steps);
}

// Rows that are further apart, or nearer, would shift everything that depends on the time of the day.
Status check_steps(const fs::path& file, const std::vector<double>* time) {
  constexpr std::size_t kFirstLine = 2;  // behind the header
  for (std::size_t i = 1; time != nullptr && i < time->size(); ++i) {
    const double step = (*time)[i] - (*time)[i - 1];
    if (std::isnan(step) || std::abs(step - kStep) <= 1) continue;
    return fail(
        ErrorCode::kMalformed,
        fmt::format("{}:{}: 'time_s' is {} s after the row before; rows are {} s apart: join finer ones (mean, or "
                    "p95 of the rates), and give missing ones a row with an empty cell",
                    file.string(), i + kFirstLine, step, kStep));
  }
  return {};
}

Result<Recording> read_series(const fs::path& file, const std::string& metric, std::string kind) {
  const auto columns = read_columns(file, {metric}, {"time_s", "obs"});
  if (!columns) return tl::unexpected(columns.error());
  if (const auto good = check_steps(file, columns->find("time_s")); !good) return tl::unexpected(good.error());
  const std::vector<double>& values = columns->values[0];
  const std::vector<double>* observed = columns->find("obs");
  Recording recording{.name = series_name(file),
                      .kind = std::move(kind),
                      .series = predictor::Series(kDay, first_phase(columns->find("time_s"))),
                      .observed = {}};
  recording.series.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    recording.series.push(values[i]);
    const bool seen = observed == nullptr || (*observed)[i] != 0;
    recording.observed.push_back(seen && !recording.series.view().is_gap(i) ? 1 : 0);
  }
  return recording;
}

}  // namespace

Result<std::vector<Recording>> read_folder(const fs::path& folder, const std::string& metric,
                                           const std::vector<std::string>& kinds) {
  const auto kind_of = read_kinds(folder);
  if (!kind_of) return tl::unexpected(kind_of.error());
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = series_name(entry.path());
    if (name.empty() || name == "manifest") continue;
    const auto kind = kind_of->find(name);
    if (kinds.empty() || kind == kind_of->end() || std::ranges::find(kinds, kind->second) != kinds.end())
      files.push_back(entry.path());
  }
  if (error) return fail(ErrorCode::kNotFound, fmt::format("{}: {}", folder.string(), error.message()));
  if (files.empty())
    return fail(ErrorCode::kNotFound, fmt::format("{}: no .csv or .csv.gz file of a series", folder.string()));
  std::ranges::sort(files);
  std::vector<Recording> recordings;
  for (const fs::path& file : files) {
    const auto kind = kind_of->find(series_name(file));
    auto recording = read_series(file, metric, kind == kind_of->end() ? "" : kind->second);
    if (!recording) return tl::unexpected(recording.error());
    recordings.push_back(std::move(*recording));
  }
  return recordings;
}

Result<std::vector<Recording>> read_rows(const fs::path& file) {
  auto reader = LineReader::open(file);
  if (!reader) return tl::unexpected(reader.error());
  std::vector<Recording> recordings;
  std::string line;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return recordings;
    const auto row = cells(line);
    Recording recording{.name = std::string(row[0]), .kind = {}, .series = predictor::Series(24), .observed = {}};
    for (std::size_t i = 1; i < row.size(); ++i) {
      const auto value = number(row[i]);
      if (!value)
        return fail(ErrorCode::kMalformed,
                    fmt::format("{}:{}: value {} is '{}', not a number", file.string(), reader->line(), i, row[i]));
      recording.series.push(*value);
      recording.observed.push_back(1);
    }
    recordings.push_back(std::move(recording));
  }
}

}  // namespace foreflow::backtest
