// SPDX-License-Identifier: Apache-2.0
// The [[rule]] tables of a policy, and what they share with [[class]].
// Place: host/policy, part of read.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/toml_reader.h"
#include "host/policy/document.h"

namespace foreflow::policy {

Places places_of(const TomlTable& table);

// Where packets go, beside where their address leads: `queue`, `queue_group`, `mirror`, `mirror_one_in`.
void read_ways(TomlTable& table, std::optional<std::uint8_t>& queue, std::uint8_t& queue_group,
               std::optional<wire::Mirror>& mirror);
// `dscp`.
void read_dscp(TomlTable& table, std::optional<std::uint8_t>& dscp);

TrafficRule read_rule(TomlTable& table);
// Names whose numbers are the same.
void refuse_shared_numbers(std::vector<TomlTable>& tables, const std::vector<TrafficRule>& rules);

}  // namespace foreflow::policy
