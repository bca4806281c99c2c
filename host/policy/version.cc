// SPDX-License-Identifier: Apache-2.0
#include "host/policy/version.h"

#include <algorithm>

#include <fmt/format.h>

namespace foreflow::policy {

Result<Version> find(const std::vector<Version>& versions, std::uint64_t number) {
  if (versions.empty()) return fail(ErrorCode::kNotFound, "no policy was ever applied; the configuration alone holds");
  const auto found = std::ranges::find(versions, number, &Version::number);
  if (found != versions.end()) return *found;
  return fail(ErrorCode::kNotFound, fmt::format("there is no policy version {}; {} to {} are kept", number,
                                                versions.front().number, versions.back().number));
}

}  // namespace foreflow::policy
