// SPDX-License-Identifier: Apache-2.0
// From a VM's running totals to the sample of one report interval.
// Place: dataplane/profile. Thread safety: control thread; the counters it reads are written by the VM's owner.
#pragma once
#include <array>
#include <cstdint>

#include "common/wire/messages.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::profile {

// Packets of a VM that were dropped before its owner saw them: by the device's meter, or on the way to the owner.
struct Unseen {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

// Packets that its owner let pass, and that were dropped afterwards where another worker sends.
struct LeftBehind {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, kCategories> app_bytes{};  // of those that were recognised; part of `bytes`
};

struct DirectionTotals {
  std::uint64_t offered_packets = 0;
  std::uint64_t offered_bytes = 0;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::array<std::uint64_t, wire::kDropCauses> drops{};
  std::array<std::uint64_t, kCategories> app_bytes{};
  std::array<std::uint64_t, wire::kSizeClasses> sizes{};
  std::uint64_t delayed_packets = 0;
  std::uint64_t marked_packets = 0;

  // They were offered, and dropped for this cause.
  void add(wire::DropCause cause, const Unseen& unseen);
  // They did not pass after all.
  void take_back(wire::DropCause cause, const LeftBehind& left);
  // A packet that is on its way counts as passed until it is dropped; nobody is told that a total has shrunk.
  void keep_growing(const DirectionTotals& before);
};

struct ConnectionTotals {
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t failed = 0;
  std::uint64_t untracked = 0;
};

DirectionTotals read(const vm::DirectionState& state);

// One VM from its first report on.
class Sampler {
 public:
  struct DirectionUnseen {
    Unseen device;    // totals since the VM is known
    Unseen filtered;  // the same, dropped by the operator's rules in the device
    Unseen handover;  // totals of its slot
    LeftBehind left;  // the same
  };
  using AllUnseen = std::array<DirectionUnseen, kDirections>;

  // Counting starts with what the slot has now: it may have had another VM before.
  Sampler(VmId vm, vm::VmState& state, const AllUnseen& unseen);

  // Since the last call. A peak that the device has cut, or carried past the pipeline, is not observable.
  wire::VmSample sample(vm::VmState& state, const AllUnseen& unseen);

 private:
  static DirectionTotals totals(const vm::DirectionState& state, const DirectionUnseen& unseen);

  VmId vm_;
  std::array<DirectionTotals, kDirections> last_;
  std::array<std::uint64_t, kDirections> unobserved_{};  // packets that the device kept to itself
  ConnectionTotals last_connections_;
};

}  // namespace foreflow::profile
