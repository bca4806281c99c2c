// SPDX-License-Identifier: Apache-2.0
// What a hypervisor said of a VM, for people.
// Place: host/cli, for `guest list` and `vm show`.
#pragma once
#include <string>

#include "host/cli/client.h"

namespace foreflow::cli {

// "1.25", of CPUs.
std::string cpus_text(std::uint64_t micros);

// The lines of `vm show`.
std::string guest_text(const pb::Guest& guest);

}  // namespace foreflow::cli
