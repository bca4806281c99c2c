// SPDX-License-Identifier: Apache-2.0
// What one direction of an uplink has left: green traffic takes from it always, yellow only while it is positive. So an
// unused guarantee is lent, and taken back within the bucket's depth (<= 1 ms of the capacity).
// Place: common/meter; one word shared by all workers, touched at most once per VM and burst.
// Thread safety: all members from any thread. Lock-free; alone on its cache line.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "common/units.h"

namespace foreflow::meter {

// The level is kept as the time at which the link will have sent all that was admitted (a virtual finishing time, as in
// the generic cell rate algorithm, ITU-T I.371): one 64-bit word holds level and refill time at once.
class alignas(64) Residual {
 public:
  // Capacity changes keep the finishing time. Writer: the control thread.
  void set_capacity(BytesPerSecond capacity) noexcept { capacity_.store(capacity.value, std::memory_order_relaxed); }

  // Green: charged even into debt; the debt is forgiven past kMostDebtNs, so that a wrong capacity cannot stop
  // borrowing for longer than that.
  void charge(Bytes size, std::uint64_t now_ns) noexcept {
    if (const auto cost = duration(size)) advance(cost, now_ns, kForever);
  }

  // Whether yellow would be admitted now; reads only, so that a burst decides once and charges once.
  bool lends(std::uint64_t now_ns) const noexcept {
    const auto capacity = capacity_.load(std::memory_order_relaxed);
    if (capacity == kUnlimited.value) return true;
    const auto finish = finish_ns_.load(std::memory_order_relaxed);
    return finish <= now_ns || finish - now_ns <= kDepthNs;
  }

  // Yellow: admitted only while the bucket is positive; true when admitted and charged.
  bool borrow(Bytes size, std::uint64_t now_ns) noexcept {
    const auto cost = duration(size);
    return cost == 0 || advance(cost, now_ns, kDepthNs);
  }

 private:
  static constexpr std::uint64_t kDepthNs = 1'000'000;
  static constexpr std::uint64_t kMostDebtNs = 100'000'000;
  static constexpr std::uint64_t kForever = ~std::uint64_t{0};

  std::uint64_t duration(Bytes size) const noexcept {
    const auto capacity = capacity_.load(std::memory_order_relaxed);
    if (capacity == kUnlimited.value) return 0;
    if (capacity == 0) return kMostDebtNs;
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(size.value) * kNanosPerSecond / capacity);
  }

  bool advance(std::uint64_t cost, std::uint64_t now_ns, std::uint64_t depth) noexcept {
    auto finish = finish_ns_.load(std::memory_order_relaxed);
    while (true) {
      const auto start = std::max(finish, now_ns);
      if (start - now_ns > depth) return false;
      const auto next = std::min(start + cost, now_ns + kMostDebtNs);
      if (finish_ns_.compare_exchange_weak(finish, next, std::memory_order_relaxed)) return true;
    }
  }

  std::atomic<std::uint64_t> finish_ns_{0};
  std::atomic<std::uint64_t> capacity_{kUnlimited.value};
};

}  // namespace foreflow::meter
