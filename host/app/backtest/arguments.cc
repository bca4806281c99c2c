// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/arguments.h"

#include <cstdio>
#include <sstream>

#include <fmt/format.h>

namespace foreflow::backtest {

Result<std::optional<po::variables_map>> parse(const std::vector<std::string>& arguments,
                                               po::options_description& options, std::string_view usage) {
  options.add_options()("help,h", "print this and end");
  po::variables_map values;
  try {
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(options).positional({}).style(style).run(), values);
    if (values.count("help") == 0) po::notify(values);
  } catch (const po::error& e) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}; --help lists the options", e.what()));
  }
  if (values.count("help") == 0) return values;
  std::ostringstream text;
  text << usage << "\n\n" << options;
  fmt::print("{}", text.str());
  return std::nullopt;
}

}  // namespace foreflow::backtest
