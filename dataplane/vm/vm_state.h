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
#include <vector>

#include "common/category.h"
#include "common/counter.h"
#include "common/huge_allocator.h"
#include "common/ids.h"
#include "common/meter/lending.h"
#include "common/meter/two_rate.h"
#include "common/wire/messages.h"

namespace foreflow::vm {

// Dense index of a VM within this process; stable for the VM's life, reused only after its flows are gone.
using Slot = std::uint16_t;
inline constexpr Slot kNoSlot = 0xffff;
inline constexpr std::size_t kMostVms = 4096;

// Where a frame of this size belongs among wire::kSizeClassNames.
constexpr std::size_t size_class(std::uint32_t size) noexcept {
  const auto above_64 = (size - (size != 0 ? 1u : 0u)) >> 6;
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above_64)), wire::kSizeClasses - 1);
}

// Largest sum of bytes in any aligned window, as differences of a counter that only grows: the owner acts when a window
// ends, never per packet. The reader takes the maximum and thereby starts a new one.
class Peak {
 public:
  // Owner: a window has ended in which the counter came to `bytes`.
  void close(std::uint64_t bytes) noexcept {
    const auto mark = mark_.load(std::memory_order_relaxed);
    if (mark != answered_.load(std::memory_order_relaxed)) largest_.set(0);
    if (bytes != mark) largest_.raise(bytes - base_.load(std::memory_order_relaxed));  // else all of it was taken
    answered_.store(mark, std::memory_order_release);
    base_.store(bytes, std::memory_order_relaxed);
  }

  // Control only: the maximum since the last call; 0 when nothing arrived since then.
  std::uint64_t take(const std::atomic<std::uint64_t>& bytes) noexcept {
    auto base = base_.load(std::memory_order_acquire);
    auto seen = bytes.load(std::memory_order_acquire);
    for (auto again = base_.load(std::memory_order_acquire); again != base;) {  // a window ended in between
      base = again;
      seen = bytes.load(std::memory_order_acquire);
      again = base_.load(std::memory_order_acquire);
    }
    const auto mark = mark_.load(std::memory_order_relaxed);
    if (seen == mark) return 0;
    const auto closed = answered_.load(std::memory_order_acquire) == mark ? largest_.read() : 0;
    mark_.store(seen, std::memory_order_relaxed);
    return std::max(closed, seen - base);
  }

 private:
  std::atomic<std::uint64_t> base_{0};  // the counter when the open window began; stored before the counter grows on
  Counter largest_;                     // of the windows that have ended
  std::atomic<std::uint64_t> mark_{0};  // the counter at the last take(); writer: control
  std::atomic<std::uint64_t> answered_{0};  // the mark from which on `largest_` counts
};

// What is offered to one VM and direction: all that is written for every packet, in one cache line (jumbo frames: two).
class alignas(64) Offered {
 public:
  // Owner only. Time does not run backwards.
  [[gnu::always_inline]] void add(std::uint32_t size, std::uint64_t now_ns) noexcept {
    if (now_ns >= window_end_ns_) [[unlikely]]
      turn(now_ns);
    bytes_.store(bytes_.load(std::memory_order_relaxed) + size, std::memory_order_release);
    sizes_[size_class(size)].add(1);
  }

  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  const std::array<Counter, wire::kSizeClasses>& sizes() const noexcept { return sizes_; }  // packets
  // Control only.
  std::uint64_t take_peak_1ms() noexcept { return peak_1ms_.take(bytes_); }
  std::uint64_t take_peak_10ms() noexcept { return peak_10ms_.take(bytes_); }

 private:
  static constexpr std::uint64_t kShortNs = 1'000'000;
  static constexpr std::uint64_t kLongNs = 10'000'000;

  [[gnu::noinline]] void turn(std::uint64_t now_ns) noexcept {
    peak_1ms_.close(bytes());
    if (now_ns >= long_end_ns_) peak_10ms_.close(bytes());
    window_end_ns_ = now_ns - now_ns % kShortNs + kShortNs;
    long_end_ns_ = now_ns - now_ns % kLongNs + kLongNs;
  }

  std::atomic<std::uint64_t> bytes_{0};
  std::uint64_t window_end_ns_ = 0;
  std::array<Counter, wire::kSizeClasses> sizes_;
  std::uint64_t long_end_ns_ = 0;
  Peak peak_1ms_;
  Peak peak_10ms_;
};

// What passes is not counted: it is what was offered, less what was dropped or is held. So a packet that passes costs
// one count, and the figures cannot contradict each other.
struct alignas(64) DirectionState {
  Offered offered;
  meter::TwoRateMeter meter;
  meter::Borrower borrower;
  std::array<Counter, wire::kDropCauses> drops;  // packets
  Counter dropped_bytes;
  Counter held_packets;  // wait for their limit; those of a VM that is gone stay here, as they never pass
  Counter held_bytes;
  std::array<Counter, kCategories> app_bytes;  // of what passes; kUnknown stays 0, as it is the rest
  Counter policed_bytes;
  Counter delayed_packets;  // held back by shaping, then passed
  Counter marked_packets;
  Counter bypassed_packets;  // carried by the device and told afterwards: offered and passed beside all of the above
  Counter bypassed_bytes;
};

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
  VmTable() : states_(kMostVms) {}
  VmState& operator[](Slot slot) noexcept { return states_[slot]; }
  const VmState& operator[](Slot slot) const noexcept { return states_[slot]; }

 private:
  std::vector<VmState, HugeAllocator<VmState>> states_;
};

}  // namespace foreflow::vm
