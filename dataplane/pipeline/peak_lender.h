// SPDX-License-Identifier: Apache-2.0
// Lends what is unused of an uplink among the VMs whose limits the device enforces: reads what they offer, and changes
// the peaks of their meters.
// Place: dataplane/pipeline, control thread. What the pipeline meters has its share of the same capacity decided packet
// by packet; here it counts as used. A VM's rules count its local traffic with the rest, so that counts, too.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/peak_lending.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/vm/slots.h"

namespace foreflow::pipeline {

class PeakLender {
 public:
  // Control ticks every 10 ms: so peaks are never older than 50 ms.
  static constexpr std::uint64_t kEveryNs = 40'000'000;

  PeakLender(Engine& engine, offload::Enforcer& enforcer) : engine_(engine), enforcer_(enforcer) {}

  // Does something at most every kEveryNs, and only where an uplink's capacity is known and peaks exceed it.
  // `slots`: of the VMs in force; `uplinks`: how many there are now.
  void turn(const vm::SlotAllocator& slots, std::size_t uplinks, std::uint64_t now_ns);

 private:
  struct Pool {  // one direction of one uplink
    std::vector<IntentId> ids;
    std::vector<offload::PeakClaim> claims;
    BytesPerSecond elsewhere;  // used by others
  };
  using Pools = std::map<std::pair<std::size_t, Direction>, Pool>;  // by uplink

  Pools find_pools(const vm::SlotAllocator& slots, std::size_t uplinks) const;
  bool is_contended(const Pools::value_type& entry) const;
  BytesPerSecond capacity(const Pools::key_type& pool) const;
  void measure(Pools& pools, const vm::SlotAllocator& slots, std::size_t uplinks, std::uint64_t elapsed_ns);
  void measure_elsewhere(Pools& pools, Direction direction, const vm::SlotAllocator& slots, std::size_t uplinks,
                         std::uint64_t elapsed_ns);

  Engine& engine_;
  offload::Enforcer& enforcer_;
  std::map<IntentId, std::uint64_t> offered_;                               // bytes, at the last turn
  std::array<std::map<vm::Slot, std::uint64_t>, kDirections> in_pipeline_;  // bytes passed, at the last turn
  std::uint64_t turned_ns_ = 0;
};

}  // namespace foreflow::pipeline
