// SPDX-License-Identifier: Apache-2.0
// An intent with everything a device needs to know to enforce it, and the pure difference of two sets of them.
// Place: dataplane/offload; the control thread resolves wire intents against ports and VMs into these.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/wire/messages.h"

namespace foreflow::offload {

struct ResolvedAttachment {
  std::uint16_t port_id = 0;  // ethdev
  MacAddress mac;
  Segment segment;
  auto operator<=>(const ResolvedAttachment&) const = default;
};

struct ResolvedIntent {
  wire::Intent intent;
  std::vector<ResolvedAttachment> attachments;  // of the VM that the intent names
  // Where packets for that VM can enter: the other ports of its segments, and its own port when it shares it with
  // other VMs.
  std::vector<std::uint16_t> source_ports;
  bool allow_foreign_mac = false;  // of the VM: its packets cannot be told by their source MAC
  bool in_group = false;           // its VM shares a tenant's cap
  bool queued = false;             // what its VM sends waits in the queues of the uplink
  // Of a treatment: the ports it names.
  std::optional<std::uint16_t> mirror_port;
  std::optional<std::uint16_t> steer_port;
  std::string impossible;  // why neither a device nor the pipeline can enforce it; empty when they may
  bool operator==(const ResolvedIntent&) const = default;
};

using IntentSet = std::map<IntentId, ResolvedIntent>;

struct IntentDelta {
  std::vector<ResolvedIntent> set;  // new or changed, in order of IntentId
  std::vector<IntentId> clear;
};

IntentDelta difference(const IntentSet& applied, const IntentSet& desired);

}  // namespace foreflow::offload
