// SPDX-License-Identifier: Apache-2.0
// The part of the configuration that describes tiers, dataplanes and VMs.
// Place: host/model, for config.cc.
#pragma once
#include "common/toml_reader.h"
#include "host/model/fleet.h"

namespace foreflow::model {

// Reasons, objections(fleet) included, go into the document at the lines they belong to.
Fleet read_fleet(TomlTable& root);

}  // namespace foreflow::model
