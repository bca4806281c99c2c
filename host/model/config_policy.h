// SPDX-License-Identifier: Apache-2.0
// Tiers, groups and the policy of a VM as the configuration and a policy file both write them.
// Place: host/model, for config_fleet.cc and host/policy.
#pragma once
#include <map>
#include <string>

#include "common/toml_reader.h"
#include "host/model/fleet.h"

namespace foreflow::model {

Tier read_tier(TomlTable& table);    // finishes the table
Group read_group(TomlTable& table);  // finishes the table

// `key = "50M"` for both directions, or `key = {egress = "50M", ingress = "1G"}`.
void read_rates(TomlTable& table, std::string_view key, PerDirection<BytesPerSecond>& out);

// The policy keys of a VM's table, which the caller finishes.
PolicyPatch read_policy(TomlTable& table);

// `bypass_after` (parse_bypass()) and `bypass_idle`; untouched when neither is there.
void read_bypass(TomlTable& table, std::optional<Bypass>& out);

// Notes where each of the table's keys stands, as "vm web cap"; `what` is "vm web".
void note_origins(const TomlTable& table, const std::string& what, std::map<std::string, std::string>& origins);

}  // namespace foreflow::model
