// SPDX-License-Identifier: Apache-2.0
#include "dataplane/config/preflight.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/wire/credentials.h"
#include "dataplane/classify/classifier.h"

namespace foreflow::config {

Status preflight(const Config& config, const std::vector<std::uint32_t>& allowed, UnixNanos now) {
  std::vector<std::string> reasons;
  const auto& manager = config.manager;
  if (const auto good =
          wire::check_files({manager.ca, manager.certificate, manager.key}, wire::TlsRole::kClient, config.id, now);
      !good)
    reasons.push_back(good.error().message);
  if (!config.signatures.empty())
    if (const auto loaded = classify::Classifier::load(config.signatures); !loaded)
      reasons.push_back(loaded.error().message);
  for (const auto cpu : config.cpus)
    if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end())
      reasons.push_back(
          fmt::format("cpus: CPU {} is not one that this process may use ({})", cpu, fmt::join(allowed, ", ")));
  if (reasons.empty()) return {};
  return fail(ErrorCode::kInvalidConfig, fmt::format("{}", fmt::join(reasons, "\n")));
}

}  // namespace foreflow::config
