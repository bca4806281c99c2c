// SPDX-License-Identifier: Apache-2.0
// Policies as the manager kept them before they had versions: one row per VM. They become the first version, so that an
// update of the program takes nobody's limits away.
// Place: host/app, asked once when the state is read. Pure.
#pragma once
#include <map>
#include <string>

#include "common/result.h"
#include "host/policy/document.h"

namespace foreflow::app {

// A rule for each VM. kMalformed names the VM whose row cannot be read, and why.
Result<policy::Document> from_old_policies(const std::map<std::string, std::string>& rows);

}  // namespace foreflow::app
