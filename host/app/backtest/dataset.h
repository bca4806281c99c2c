// SPDX-License-Identifier: Apache-2.0
// Folders of recorded series: one file per VM, links, and the hourly series of a forecasting competition.
// Place: host/app/backtest; the only place where the backtest touches files of demand.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/result.h"
#include "predictor/series/series.h"

namespace foreflow::backtest {

inline constexpr std::size_t kDay = 288;  // points of 5 minutes

// One recorded series. A row that was filled in afterwards (obs = 0) has a value but is never a target.
struct Recording {
  std::string name;
  std::string kind;          // of the manifest: active, sparse, or empty
  predictor::Series series;  // phase: the row's local time of day, from `time_s`, the end of the row's interval
  std::vector<std::uint8_t> observed;
};

// SERIES.csv or SERIES.csv.gz in `folder`, in the order of their names. `metric`: the demand column. `time_s` and `obs`
// are optional columns; an empty cell, a negative or infinite value is a gap. `kinds`: of the manifest, empty = all;
// a series that the manifest does not know is always taken. kNotFound when there is none.
Result<std::vector<Recording>> read_folder(const std::filesystem::path& folder, const std::string& metric,
                                           const std::vector<std::string>& kinds);

// "ID,value,value,..." without a header, one series a line, values apart by one hour (season 24).
Result<std::vector<Recording>> read_rows(const std::filesystem::path& file);

}  // namespace foreflow::backtest
