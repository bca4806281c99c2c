// SPDX-License-Identifier: Apache-2.0
// What the dataplane remembers of one VM slot between packets: counters, meters, peaks. It lives outside the
// configuration snapshot, so a new configuration never resets it.
// Place: dataplane/vm. Writer: the worker that owns the VM; readers: the control thread, each second.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/category.h"
#include "common/counter.h"
#include "common/ids.h"
#include "common/meter/lending.h"
#include "common/meter/two_rate.h"
#include "common/wire/messages.h"

namespace foreflow::vm {

// Dense index of a VM within this process; stable for the VM's life, reused only after its flows are gone.
using Slot = std::uint16_t;
inline constexpr Slot kNoSlot = 0xffff;
inline constexpr std::size_t kMostVms = 4096;

// Largest offered bytes in any aligned window; the reader takes it and thereby starts a new maximum.
template <std::uint64_t kWindowNs>
class Peak {
 public:
  // Owner only.
  void add(std::uint64_t bytes, std::uint64_t now_ns) noexcept {
    const auto window = now_ns / kWindowNs;
    if (window != window_) {
      window_ = window;
      sum_ = 0;
    }
    sum_ += bytes;
    if (const auto asked = asked_.load(std::memory_order_relaxed); asked != answered_.load(std::memory_order_relaxed)) {
      largest_.set(sum_);
      answered_.store(asked, std::memory_order_release);
    } else {
      largest_.raise(sum_);
    }
  }

  // Control only: the maximum since the last call; 0 when nothing arrived since then.
  std::uint64_t take() noexcept {
    const auto asked = asked_.load(std::memory_order_relaxed);
    const auto fresh = answered_.load(std::memory_order_acquire) == asked;
    const auto largest = fresh ? largest_.read() : 0;
    asked_.store(asked + 1, std::memory_order_relaxed);
    return largest;
  }

 private:
  Counter largest_;
  std::atomic<std::uint32_t> asked_{0};     // writer: control
  std::atomic<std::uint32_t> answered_{0};  // writer: the owner
  std::uint64_t window_ = 0;
  std::uint64_t sum_ = 0;
};

struct alignas(64) DirectionState {
  meter::TwoRateMeter meter;
  meter::Borrower borrower;
  Counter offered_packets;
  Counter offered_bytes;
  Counter passed_packets;
  Counter passed_bytes;
  std::array<Counter, wire::kDropCauses> drops;   // packets
  std::array<Counter, kCategories> app_bytes;     // passed bytes
  std::array<Counter, wire::kSizeClasses> sizes;  // offered packets
  Counter policed_bytes;
  Counter delayed_packets;  // held back by shaping, then passed
  Counter marked_packets;
  Peak<1'000'000> peak_1ms;
  Peak<10'000'000> peak_10ms;
};

// Where a frame of this size belongs among wire::kSizeClassNames.
constexpr std::size_t size_class(std::uint32_t size) noexcept {
  const auto above_64 = (size - (size != 0 ? 1u : 0u)) >> 6;
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above_64)), wire::kSizeClasses - 1);
}

struct alignas(64) VmState {
  std::array<DirectionState, kDirections> directions;
  Counter connections_opened;
  Counter connections_active;
  Counter connections_closed;
  Counter connections_failed;
  Counter untracked_packets;  // IP packets without a flow record: table or quota full
};

// The states of all slots; lives as long as the process.
class VmTable {
 public:
  VmTable() : states_(std::make_unique<VmState[]>(kMostVms)) {}
  VmState& operator[](Slot slot) noexcept { return states_[slot]; }
  const VmState& operator[](Slot slot) const noexcept { return states_[slot]; }

 private:
  std::unique_ptr<VmState[]> states_;  // alignas(64) is honoured by operator new since C++17
};

}  // namespace foreflow::vm
