// SPDX-License-Identifier: Apache-2.0
// Folders of single series with timestamps: "timestamp,value" files at any depth.
// Place: host/app/backtest.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow::backtest {

struct TimedSeries {
  std::string name;                     // path below the folder
  std::vector<std::string> timestamps;  // as written
  std::vector<std::int64_t> seconds;    // the same, since 1970 in the zone they are written in
  std::vector<double> values;           // NaN where the cell is empty
};

// "2015-02-26 21:42:53", also with 'T', a fraction or a zone behind (both ignored), or a number of seconds.
std::optional<std::int64_t> seconds_of(std::string_view timestamp);

// All .csv and .csv.gz files below `folder`/data if there is such a folder, below `folder` otherwise, by name. Rows
// stay in the order of the file. kMalformed names file and line; kNotFound when there is no file.
Result<std::vector<TimedSeries>> read_timed_folder(const std::filesystem::path& folder);

}  // namespace foreflow::backtest
