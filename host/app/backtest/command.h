// SPDX-License-Identifier: Apache-2.0
// The subcommands of foreflow-backtest: one visible table, one file each.
// Place: host/app/backtest. A new subcommand is a file command_NAME.cc and a line in commands.cc.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow::backtest {

struct Command {
  std::string_view name;
  std::string_view summary;
  // `arguments`: what follows the name. "--help" is among what it understands.
  Status (*run)(const std::vector<std::string>& arguments);
};

std::span<const Command> commands();

Status run_forecast(const std::vector<std::string>& arguments);
Status run_allocate(const std::vector<std::string>& arguments);
Status run_contention(const std::vector<std::string>& arguments);
Status run_closed_loop(const std::vector<std::string>& arguments);
Status run_lending(const std::vector<std::string>& arguments);
Status run_anomaly(const std::vector<std::string>& arguments);
Status run_features(const std::vector<std::string>& arguments);
Status run_match(const std::vector<std::string>& arguments);

}  // namespace foreflow::backtest
