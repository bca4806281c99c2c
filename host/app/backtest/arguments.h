// SPDX-License-Identifier: Apache-2.0
// Command lines of the subcommands.
// Place: host/app/backtest.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "common/result.h"

namespace foreflow::backtest {

namespace po = boost::program_options;

// What `arguments` say; nullopt when they asked for --help, which is then printed (`usage`, then the options).
// kInvalidArgument says what would be right. "help" is added to `options`.
Result<std::optional<po::variables_map>> parse(const std::vector<std::string>& arguments,
                                               po::options_description& options, std::string_view usage);

}  // namespace foreflow::backtest
