// SPDX-License-Identifier: Apache-2.0
// Tries on the device what the rte_flow backend needs, and takes it away again.
// Place: dataplane/offload. Thread safety: control thread only.
#pragma once
#include <cstdint>
#include <string>

#include "common/result.h"
#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {

// A meter with drop counters, its policy, two rules for `port_id` with COUNT and this METER in a group that no packet
// reaches, both counters read, the rate changed in place. The error is that of the first step that fails.
Status try_canary(TransferDomain& domain, std::uint16_t port_id);

// The same for flows that leave from within the device: a rule with COUNT, AGE and a port to leave by, both read.
Status try_bypass(TransferDomain& domain, std::uint16_t port_id);

// The same for what the pipeline is to steer: rules that write metadata and match it.
Status try_metadata(TransferDomain& domain, std::uint16_t port_id);

// How the device could pass on what VMs leave unused.
struct LendingFound {
  Status rerated;    // the peak of a meter in use follows within kLongestRerating
  Status hierarchy;  // a VM's meter leads into one of the uplink that goes by the colour found
  Status marked;     // a meter marks yellow, so that it travels in a lower class
};
LendingFound try_lending(TransferDomain& domain);
std::string describe(const LendingFound& found);

}  // namespace foreflow::offload
