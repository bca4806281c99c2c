// SPDX-License-Identifier: Apache-2.0
// What one device shall do, and its form as a desired state on the wire.
// Place: host/fabric. Pure: no clock, no device.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/wire/messages.h"
#include "host/model/fleet.h"

namespace foreflow::fabric {

// The two-rate limit of one VM and direction, and the policy it follows from.
struct Limit {
  wire::Police police;
  BytesPerSecond guarantee;
  BytesPerSecond cap = kUnlimited;
  bool operator==(const Limit&) const = default;
};

struct Target {
  std::string device;
  std::vector<wire::UplinkSpec> uplinks;
  std::vector<wire::VmSpec> vms;        // by id
  std::vector<wire::GroupSpec> groups;  // those that have VMs here, by name
  std::string signature_set;
  std::vector<Limit> limits;                // by VM and direction
  std::vector<wire::Treatment> treatments;  // of applications; by VM, category and direction
  std::vector<wire::Bypass> bypasses;       // by VM and category
  std::vector<wire::Intent> rules;          // for a part of a VM's traffic; by id
  bool operator==(const Target&) const = default;
};

// `limits` may name VMs of other dataplanes; those are left out. Applications are treated as the fleet's VMs say.
Target make_target(const model::Fleet& fleet, const model::Dataplane& dataplane, const std::vector<Limit>& limits);

wire::DesiredState desired_state(const Target& target, Generation generation);

// Is moving from `installed` to `wanted` worth a push? Everything is but small changes of rates that an unchanged
// policy leads to: each push costs the device a batch of meter changes.
bool worth_a_push(const Target& installed, const Target& wanted);

// The same id for the same VM and direction for ever, so that counters and results keep their meaning.
IntentId police_intent(VmId vm, Direction direction);
// As above, for a treatment of an application's category.
IntentId application_intent(VmId vm, Category category, Direction direction);
// As above, for the long flows of one category or of all others.
IntentId bypass_intent(VmId vm, std::optional<Category> category);
// As above, for a rule of the policy.
IntentId rule_intent(VmId vm, std::uint32_t number, Direction direction);

}  // namespace foreflow::fabric
