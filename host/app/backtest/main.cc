// SPDX-License-Identifier: Apache-2.0
// foreflow-backtest: the predictor over recorded series. Same code as the manager's, files in, CSV out.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/version.h"
#include "host/app/backtest/command.h"

namespace {

using foreflow::backtest::Command;
using foreflow::backtest::commands;

constexpr int kWrongUse = 2;

void print_usage(std::FILE* out) {
  fmt::print(out, "usage: foreflow-backtest COMMAND [OPTIONS]\n\nThe predictor over recorded series.\n\n");
  for (const Command& command : commands()) fmt::print(out, "  {:<10} {}\n", command.name, command.summary);
  fmt::print(out, "\nforeflow-backtest COMMAND --help says more; --version prints the version.\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) return print_usage(stderr), kWrongUse;
  if (arguments[0] == "--help" || arguments[0] == "-h") return print_usage(stdout), 0;
  if (arguments[0] == "--version") return fmt::print("foreflow-backtest {}\n", foreflow::kVersion), 0;
  const auto found = std::ranges::find(commands(), std::string_view(arguments[0]), &Command::name);
  if (found == commands().end()) {
    fmt::print(stderr, "foreflow-backtest: no command '{}'\n", arguments[0]);
    return print_usage(stderr), kWrongUse;
  }
  const foreflow::Status done = found->run({arguments.begin() + 1, arguments.end()});
  if (done) return 0;
  fmt::print(stderr, "foreflow-backtest {}: {}\n", found->name, done.error().message);
  return done.error().code == foreflow::ErrorCode::kInvalidArgument ? kWrongUse : 1;
}
