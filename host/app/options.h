// SPDX-License-Identifier: Apache-2.0
// The command line of foreflowd.
// Place: host/app, for main.
#pragma once
#include <filesystem>
#include <string>

#include "common/result.h"

namespace foreflow::app {

struct Options {
  std::filesystem::path config = "/etc/foreflow/foreflowd.toml";
  bool check = false;    // read the configuration and end
  bool verbose = false;  // log debug lines
  std::string answer;    // text of --help or --version; then there is nothing else to do
};

// kInvalidArgument says what would be right.
Result<Options> parse_options(int argc, const char* const* argv);

}  // namespace foreflow::app
