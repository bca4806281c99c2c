// SPDX-License-Identifier: Apache-2.0
// config check, version: what needs no manager.
#include <fmt/format.h>

#include "common/version.h"
#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/model/config.h"

namespace foreflow::cli {

Outcome config_check(Context& context) {
  std::string good, bad;
  std::size_t failed = 0;
  for (const auto& file : context.arguments) {
    const auto config = model::load_config(file);
    if (config) {
      good += fmt::format("{}: good; {}\n", file, model::summary(*config));
      continue;
    }
    ++failed;
    bad += config.error().message + "\n";
  }
  if (failed == 0) return good;
  bad += "(a dataplane's configuration is checked by: foreflow-dataplane --check --config FILE)";
  const auto code = failed == context.arguments.size() ? ExitCode::kFailure : ExitCode::kPartial;
  return tl::unexpected(Failure{code, good + bad});
}

Outcome show_version(Context& context) {
  if (context.json) return text_of({{"version", kVersion}});
  return fmt::format("foreflow {}\n", kVersion);
}

}  // namespace foreflow::cli
