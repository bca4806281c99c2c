// SPDX-License-Identifier: Apache-2.0
// A rule as the caller of rte_flow describes it, read and held against what the device refuses.
// Place: dataplane/offload/emulated.
#pragma once
#include <cstdint>
#include <optional>

#include <rte_flow.h>

#include "dataplane/offload/emulated/packet_key.h"
#include "dataplane/offload/emulated/refusal.h"

namespace foreflow::offload::emulated {

struct RuleDraft {
  std::uint32_t group = 0;
  std::uint32_t priority = 0;
  PacketKey mask;
  PacketKey value;
  bool counts = false;
  bool drops = false;
  std::optional<std::uint32_t> meter;
  std::optional<std::uint32_t> jump;
  std::optional<std::uint8_t> dscp;
  std::uint16_t metadata = 0;       // written where metadata_mask has bits
  std::uint16_t metadata_mask = 0;  // 0 = nothing is
  std::optional<std::uint16_t> mirror_port;
  std::uint32_t idle_seconds = 0;         // AGE; 0 = none
  std::optional<std::uint16_t> out_port;  // leaves here, without the CPU
  bool ends_itself() const { return drops || jump.has_value() || out_port.has_value(); }
};

// Adds one item to what the rule matches.
FlowAnswer<void> read_item(const rte_flow_item& item, RuleDraft& rule);

// Everything that can be said without knowing which meters exist.
FlowAnswer<RuleDraft> read_rule(const rte_flow_attr& attr, const rte_flow_item* items, const rte_flow_action* actions);

}  // namespace foreflow::offload::emulated
