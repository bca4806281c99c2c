// SPDX-License-Identifier: Apache-2.0
// Single flows that a device carries from port to port without the CPU, behind the meters of their VM.
// Place: dataplane/offload, beside OffloadBackend, which gives it. Thread safety: control thread only.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {

// One flow between a VM and the uplink, seen from the VM. Untagged on both sides.
struct BypassFlow {
  std::uint16_t vm_port = 0;
  std::uint16_t uplink_port = 0;
  MacAddress vm_mac;
  MacAddress next_hop;  // what the VM sends goes to this address
  HeaderMatch headers;  // of what the VM sends: whole addresses, both ports, within_connection for TCP
  std::uint32_t idle_seconds = 10;
};

// What the device has carried, by direction, since the flow was given to it.
struct FlowCounts {
  std::array<Tally, kDirections> tallies;
  bool idle = false;  // nothing in either direction for idle_seconds
};

class FlowOffload {
 public:
  using Handle = std::uint32_t;

  virtual ~FlowOffload() = default;
  // Can flows pass from and to this port? As found by canary; the error says why not.
  virtual Status able(std::uint16_t port) const = 0;
  // Both directions or none.
  virtual Result<Handle> give(const BypassFlow& flow) = 0;
  // Does not stop the flow. Errors: the device's, the flow stays as it is; kNotFound: the device has lost it.
  virtual Result<FlowCounts> read(Handle handle) = 0;
  // Leads the flow to the CPU again and only then reads its last counts, so that every packet is counted once: there,
  // or by the pipeline. Errors: as above; the flow may be in either place, and take_back() is to be called again.
  virtual Result<FlowCounts> take_back(Handle handle) = 0;
};

}  // namespace foreflow::offload
