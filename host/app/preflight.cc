// SPDX-License-Identifier: Apache-2.0
#include "host/app/preflight.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/files.h"
#include "common/wire/credentials.h"

namespace foreflow::app {

foreflow::Status preflight(const model::ManagerConfig& config, UnixNanos now) {
  std::vector<std::string> reasons;
  const auto check = [&](std::string_view section, const model::Certificates& files) {
    if (const auto good = wire::check_files({files.ca, files.certificate, files.key}, wire::TlsRole::kServer, "", now);
        !good)
      reasons.push_back(fmt::format("[{}] {}", section, good.error().message));
  };
  check("link", config.link.certificates);
  if (config.api.certificates != config.link.certificates) check("api", config.api.certificates);
  if (!config.store.password_file.empty())
    if (const auto secret = read_secret(config.store.password_file); !secret)
      reasons.push_back(fmt::format("[store] {}", secret.error().message));
  if (reasons.empty()) return {};
  return fail(ErrorCode::kInvalidConfig, fmt::format("{}", fmt::join(reasons, "\n")));
}

}  // namespace foreflow::app
