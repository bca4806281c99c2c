// SPDX-License-Identifier: Apache-2.0
// Packets that wait for their limit instead of being dropped: one short queue per shaped VM and direction.
// Place: dataplane/pipeline. One worker owns it. The queues of VMs that are shaped are made when a configuration is
// adopted; nothing is allocated per packet. A packet that waits belongs to the shaper and is in no other count.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <rte_mbuf.h>

#include "common/category.h"
#include "common/ids.h"
#include "common/units.h"
#include "dataplane/net/parse.h"
#include "dataplane/pipeline/handover.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::pipeline {

struct Waiting {
  rte_mbuf* packet = nullptr;
  Passage passage;
  std::uint32_t size = 0;
  std::uint64_t since_ns = 0;
};

class ShapeQueue {
 public:
  static constexpr std::size_t kMostPackets = 1024;
  static constexpr std::uint64_t kMostNs = 20'000'000;  // longer nobody waits
  static constexpr std::uint64_t kMarkNs = 5'000'000;   // from here on a packet that can be marked is
  static constexpr std::uint32_t kLeastBytes = 2 * 1518;

  void set_rate(BytesPerSecond rate) noexcept;
  // False: the queue is as long as its rate sends in kMostNs.
  bool push(const Waiting& waiting) noexcept;
  bool empty() const noexcept { return count_ == 0; }
  const Waiting& front() const noexcept { return ring_[first_]; }
  void pop() noexcept;

 private:
  std::array<Waiting, kMostPackets> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t most_bytes_ = kLeastBytes;
};

class Shaper {
 public:
  Shaper() : queues_(vm::kMostVms * kDirections) {}

  // The VM is shaped at this rate from now on; or no longer: what waits still leaves in order.
  void shape(vm::Slot slot, Direction direction, BytesPerSecond rate);
  void stop(vm::Slot slot, Direction direction) noexcept;

  // Some VM is shaped, or something waits.
  bool is_used() const noexcept { return shaped_ != 0; }
  bool holds() const noexcept { return !busy_.empty(); }
  // Null: not shaped and nothing waits.
  ShapeQueue* queue(vm::Slot slot, Direction direction) noexcept { return queues_[at(slot, direction)].get(); }
  // Something waits anywhere; visit(slot, direction, queue) for each such queue, in order of slots.
  template <typename Visit>
  void visit(Visit&& visit) {
    for (std::size_t i = 0; i < busy_.size(); ++i) {
      const auto key = busy_[i];
      if (!queues_[key]) continue;
      visit(static_cast<vm::Slot>(key / kDirections), static_cast<Direction>(key % kDirections), *queues_[key]);
    }
    tidy();
  }
  // A queue of which push() succeeded.
  void note_busy(vm::Slot slot, Direction direction) noexcept;

 private:
  static std::size_t at(vm::Slot slot, Direction direction) noexcept { return slot * kDirections + index(direction); }
  void tidy() noexcept;

  std::vector<std::unique_ptr<ShapeQueue>> queues_;
  std::vector<std::uint32_t> busy_;  // reserved for all shaped queues
  std::size_t shaped_ = 0;
  std::vector<bool> leaving_ = std::vector<bool>(vm::kMostVms * kDirections);
};

// Sets "congestion experienced" in the IP header where the sender can take it (RFC 3168); false where it cannot, or
// where the bytes are shared with a copy. IPv4's checksum follows (RFC 1624).
bool mark_congestion(rte_mbuf* packet, const net::Parsed& parsed) noexcept;

}  // namespace foreflow::pipeline
