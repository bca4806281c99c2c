// SPDX-License-Identifier: Apache-2.0
// What has to be right around a valid configuration for the dataplane to start on this machine: `--check` reports it.
// Place: dataplane/config, for main. Reads files; starts nothing.
#pragma once
#include <cstdint>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "dataplane/config/config.h"

namespace foreflow::config {

// kInvalidConfig with every reason at once, one per line: certificates (missing, of another key or authority, expired,
// of another name than `id`), signatures (each mistake with file and line), CPUs that are not among `allowed`.
Status preflight(const Config& config, const std::vector<std::uint32_t>& allowed, UnixNanos now);

}  // namespace foreflow::config
