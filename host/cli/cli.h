// SPDX-License-Identifier: Apache-2.0
// `foreflow`: parses a command line, runs the command, prints and says how it ended.
// Place: host/cli; main calls it, tests too.
#pragma once
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "host/cli/exit.h"

namespace foreflow::cli {

// What the surroundings say: environment variables, empty when unset.
using Environment = std::function<std::string(const std::string& name)>;

// `words` without the program's name. Results go to `out`, errors to `err`.
ExitCode run(const std::vector<std::string>& words, const Environment& environment, std::ostream& out,
             std::ostream& err);

}  // namespace foreflow::cli
