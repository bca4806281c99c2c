// SPDX-License-Identifier: Apache-2.0
// What a worker and the control thread tell each other about flows that a device carries: which ones the worker offers
// or wants back, and what the device has counted, which the VM's owner books.
// Place: dataplane/pipeline. Thread safety: requests are pushed by the worker and popped by control, credits the other
// way round.
#pragma once
#include <array>
#include <cstdint>

#include "common/category.h"
#include "common/spsc_ring.h"
#include "dataplane/flow/flow_table.h"

namespace foreflow::pipeline {

struct BypassRequest {
  flow::FlowKey key;
  VmId vm;
  bool back = false;  // the pipeline wants to see the flow again
  Category category = Category::kUnknown;
  MacAddress vm_mac;
  MacAddress next_hop;  // where the VM's frames go
  std::uint16_t vm_port = 0;
  std::uint16_t uplink_port = 0;
  std::uint32_t idle_seconds = 10;  // of silence, then it comes back
};

struct BypassCredit {
  flow::FlowKey key;
  VmId vm;
  Category category = Category::kUnknown;
  bool ended = false;  // the flow is the pipeline's again
  std::array<std::uint64_t, kDirections> packets{};
  std::array<std::uint64_t, kDirections> bytes{};
};

struct BypassDesk {
  SpscRing<BypassRequest, 1024> requests;
  SpscRing<BypassCredit, 1024> credits;
};

}  // namespace foreflow::pipeline
