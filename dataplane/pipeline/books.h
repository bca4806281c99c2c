// SPDX-License-Identifier: Apache-2.0
// The counters of one worker: every packet it received, sent and dropped, and its VMs' share of that.
// Place: dataplane/pipeline. Writer: the worker; readers: the control thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "common/counter.h"
#include "common/wire/messages.h"
#include "dataplane/pipeline/bypass_desk.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::pipeline {

inline constexpr std::size_t kMostPorts = 32;  // RTE_MAX_ETHPORTS of Debian's DPDK

// Of one ethdev, where its bursts are received and transmitted.
struct PortCounters {
  Counter rx_packets;
  Counter rx_bytes;
  Counter tx_packets;
  Counter tx_bytes;
  Counter full_packets;          // that it did not take
  Counter unattributed_packets;  // received on a VM's port, from no VM
};

// Invariant, once nothing is on its way: sum of rx + flood_copies = sum of tx + sum(drops), over all workers.
struct alignas(64) WorkerCounters {
  std::array<PortCounters, kMostPorts> ports;  // by ethdev id
  Counter flood_copies;
  std::array<Counter, wire::kDropCauses> drops;
};

// Packets of a VM that were lost on the way to its owner; only the owner may write the VM's own counters.
struct Lost {
  Counter packets;
  Counter bytes;
};

// Packets of a VM that had passed its owner and waited for an uplink that left. Another worker finds them.
struct LeftBehind {
  Counter packets;
  Counter bytes;
  std::array<Counter, kCategories> app_bytes;  // of those that were recognised; part of `bytes`
};

// To whom a packet counts while it is on its way out.
struct Account {
  vm::Slot slot = vm::kNoSlot;  // kNoSlot: to the dataplane alone (copies of a flood)
  Direction direction = Direction::kEgress;
  Category category = Category::kUnknown;  // counted as passed already, as far as it is known
  std::uint32_t size = 0;                  // at the VM's port
};

class Books {
 public:
  explicit Books(vm::VmTable& vms)
      : vms_(vms),
        lost_(std::make_unique<std::array<Lost, kDirections>[]>(vm::kMostVms)),
        left_behind_(std::make_unique<LeftBehind[]>(vm::kMostVms)) {}

  PortCounters& port(std::uint16_t id) noexcept { return total_.ports[id]; }
  WorkerCounters& total() noexcept { return total_; }
  const WorkerCounters& total() const noexcept { return total_; }
  const Lost& lost(vm::Slot slot, Direction direction) const noexcept { return lost_[slot][index(direction)]; }
  const LeftBehind& left_behind(vm::Slot slot) const noexcept { return left_behind_[slot]; }  // what it sent
  vm::VmState& vm(vm::Slot slot) noexcept { return vms_[slot]; }

  // For who is counted soon, and metered if `is_policed`.
  void prefetch(vm::Slot slot, Direction direction, bool is_policed) const noexcept {
    const auto& state = vms_[slot].directions[index(direction)];
    __builtin_prefetch(&state.offered, 1);
    if (!is_policed) return;
    __builtin_prefetch(&state.meter, 1);
    __builtin_prefetch(reinterpret_cast<const char*>(&state.meter) + 64, 1);
  }

  void offered(vm::Slot slot, Direction direction, std::uint32_t size, std::uint64_t now_ns) noexcept {
    vms_[slot].directions[index(direction)].offered.add(size, now_ns);
  }

  // Passes unless it is dropped after all: then passed() is taken back. The rest of what passes follows from the other
  // counts.
  void passed(const Account& account) noexcept {
    if (account.category == Category::kUnknown || account.slot == vm::kNoSlot) return;
    vms_[account.slot].directions[index(account.direction)].app_bytes[index(account.category)].add(account.size);
  }

  // Offered and passed, only not here.
  void bypassed(const BypassCredit& credit) noexcept {
    for (std::size_t at = 0; at < kDirections; ++at) {
      auto& direction = vms_[credit.key.vm].directions[at];
      direction.bypassed_packets.add(credit.packets[at]);
      direction.bypassed_bytes.add(credit.bytes[at]);
      if (credit.category != Category::kUnknown) direction.app_bytes[index(credit.category)].add(credit.bytes[at]);
    }
  }

  void dropped(const Account& account, wire::DropCause cause) noexcept {
    total_.drops[wire::index(cause)].add(1);
    if (account.slot == vm::kNoSlot) return;
    auto& direction = vms_[account.slot].directions[index(account.direction)];
    direction.drops[wire::index(cause)].add(1);
    direction.dropped_bytes.add(account.size);
    if (account.category != Category::kUnknown)
      direction.app_bytes[index(account.category)].add(std::uint64_t{0} - account.size);
  }

  void leave_behind(const Account& account) noexcept {
    total_.drops[wire::index(wire::DropCause::kQueueFull)].add(1);
    if (account.slot == vm::kNoSlot) return;
    auto& left = left_behind_[account.slot];
    left.packets.add(1);
    left.bytes.add(account.size);
    if (account.category != Category::kUnknown) left.app_bytes[index(account.category)].add(account.size);
  }

  void lost_on_handover(vm::Slot slot, Direction direction, std::uint64_t size) noexcept {
    total_.drops[wire::index(wire::DropCause::kHandover)].add(1);
    auto& lost = lost_[slot][index(direction)];
    lost.packets.add(1);
    lost.bytes.add(size);
  }

 private:
  WorkerCounters total_;
  vm::VmTable& vms_;
  std::unique_ptr<std::array<Lost, kDirections>[]> lost_;
  std::unique_ptr<LeftBehind[]> left_behind_;
};

}  // namespace foreflow::pipeline
