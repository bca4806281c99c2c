// SPDX-License-Identifier: Apache-2.0
// What has to be right around a valid configuration for the manager to start on this machine: `--check` reports it.
// Place: host/app, for main. Reads files; starts nothing.
#pragma once
#include "common/result.h"
#include "common/units.h"
#include "host/model/config.h"

namespace foreflow::app {

// kInvalidConfig with every reason at once, one per line: certificates of link and API (missing, of another key or
// authority, expired, no server's), the secret of the store.
Status preflight(const model::ManagerConfig& config, UnixNanos now);

}  // namespace foreflow::app
