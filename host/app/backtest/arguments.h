// SPDX-License-Identifier: Apache-2.0
// Command lines of the subcommands, and the options that most of them share.
// Place: host/app/backtest.
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "common/result.h"

namespace foreflow::backtest {

namespace po = boost::program_options;

struct CommonSettings {
  std::filesystem::path data;
  std::filesystem::path train;  // that of `data` where the command line is silent
  std::filesystem::path output;
  std::string metric;       // the demand column
  std::size_t threads = 0;  // 0 = one per CPU

  // No model may then serve the series that it has learned from.
  bool trains_on_data() const;
};

// An option whose value is a path; unlike a plain value it may hold blanks.
po::typed_value<std::string>* path_value(std::filesystem::path& into, const char* name);

// --data (`data_says` is its help), --metric, --output and --threads.
void add_common(po::options_description& options, CommonSettings& common, const char* data_says);
// --train, for commands with models that learn from many series.
void add_train(po::options_description& options, CommonSettings& common);
// --output and --threads alone, for commands with data of another shape.
void add_output(po::options_description& options, CommonSettings& common);

// What `arguments` say; nullopt when they asked for --help, which is then printed (`usage`, then the options).
// kInvalidArgument says what would be right. "help" is added to `options`.
Result<std::optional<po::variables_map>> parse(const std::vector<std::string>& arguments,
                                               po::options_description& options, std::string_view usage);

}  // namespace foreflow::backtest
