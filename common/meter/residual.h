// SPDX-License-Identifier: Apache-2.0
// What is left of a rate that many share, one direction of an uplink or of a tenant: green traffic takes from it
// always, yellow only while something is left. So an unused guarantee is lent, and taken back within the bucket's
// depth. Place: common/meter; one word shared by all workers, read and written at most once per VM and burst. Thread
// safety: all members from any thread. Lock-free; alone on its cache line.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "common/units.h"

namespace foreflow::meter {

// The level is kept as the time at which the link will have sent all that was admitted (a virtual finishing time, as in
// the generic cell rate algorithm, ITU-T I.371): one 64-bit word holds level and refill time at once. It counts 1/1024
// ns modulo 2^64, so that a small frame on a fast link is charged exactly; a finishing time that seems to lie further
// ahead than the debt can, lies in the past.
class alignas(64) Residual {
 public:
  static constexpr std::uint64_t kDepthNs = 1'000'000;       // of an uplink
  static constexpr std::uint64_t kMostDebtNs = 100'000'000;  // a wrong capacity stops borrowing for no longer

  // What one burst may take: opened with one read, decided on locally, settled with one write. Costs round up: over any
  // window T no more than rate * T + depth is lent.
  class Loan {
   public:
    // Yellow on an uplink: something is left, were it less than the packet (its depth may be below one frame).
    bool is_positive() const noexcept { return room_ > 0; }
    // Yellow under a cap: all of the packet is left.
    bool has(Bytes size) const noexcept { return cost(size) <= room_; }
    void take(Bytes size) noexcept {
      const auto price = cost(size);
      room_ -= price;
      taken_ += static_cast<std::uint64_t>(price);
    }

   private:
    friend class Residual;
    std::int64_t cost(Bytes size) const noexcept {
      const auto exact = static_cast<unsigned __int128>(size.value) * price_;
      const auto ticks = (exact + (1u << kPriceBits) - 1) >> kPriceBits;
      return static_cast<std::int64_t>(std::min<unsigned __int128>(ticks, kMostCost));
    }
    std::uint64_t price_ = 0;  // of a byte, in 2^-kPriceBits ticks
    std::uint64_t seen_ = 0;   // the finishing time at open()
    std::int64_t room_ = 0;    // ticks until the depth is used up
    std::uint64_t taken_ = 0;
  };

  // Capacity changes keep the finishing time. Writer: the control thread.
  void set_capacity(BytesPerSecond capacity, std::uint64_t depth_ns = kDepthNs) noexcept {
    capacity_.store(capacity.value, std::memory_order_relaxed);
    depth_.store(depth_ns * kTicks, std::memory_order_relaxed);
    price_.store(price_of(capacity), std::memory_order_relaxed);
  }
  BytesPerSecond capacity() const noexcept { return {capacity_.load(std::memory_order_relaxed)}; }

  Loan open(std::uint64_t now_ns) const noexcept {
    Loan loan;
    loan.price_ = price_.load(std::memory_order_relaxed);
    loan.seen_ = finish_.load(std::memory_order_relaxed);
    const auto depth = depth_.load(std::memory_order_relaxed);
    loan.room_ = static_cast<std::int64_t>(depth) - static_cast<std::int64_t>(ahead(loan.seen_, now_ns, depth));
    return loan;
  }

  // Charges what the loan took, into debt if need be.
  void settle(const Loan& loan, std::uint64_t now_ns) noexcept {
    if (loan.taken_ == 0) return;
    auto seen = loan.seen_;
    while (!exchange(seen, loan.taken_, now_ns)) {
    }
  }
  // The same only if nobody else has charged since open(); otherwise decide again.
  bool try_settle(const Loan& loan, std::uint64_t now_ns) noexcept {
    auto seen = loan.seen_;
    return loan.taken_ == 0 || exchange(seen, loan.taken_, now_ns);
  }

  bool lends(std::uint64_t now_ns) const noexcept { return open(now_ns).is_positive(); }
  // One packet: green, and yellow (true when admitted and charged).
  void charge(Bytes size, std::uint64_t now_ns) noexcept {
    auto loan = open(now_ns);
    loan.take(size);
    settle(loan, now_ns);
  }
  bool borrow(Bytes size, std::uint64_t now_ns) noexcept {
    while (true) {
      auto loan = open(now_ns);
      if (!loan.is_positive()) return false;
      loan.take(size);
      if (try_settle(loan, now_ns)) return true;
    }
  }

 private:
  static constexpr std::uint64_t kTicks = 1024;  // in a nanosecond
  static constexpr unsigned kPriceBits = 20;     // of fraction
  static constexpr std::uint64_t kMostCost = kMostDebtNs * kTicks;

  // Unlimited costs nothing; no capacity costs all that can be owed.
  static std::uint64_t price_of(BytesPerSecond capacity) noexcept {
    if (capacity == kUnlimited) return 0;
    constexpr auto kSecond = static_cast<unsigned __int128>(kNanosPerSecond * kTicks) << kPriceBits;
    const auto divisor = std::max<std::uint64_t>(capacity.value, 1);
    return static_cast<std::uint64_t>((kSecond + divisor - 1) / divisor);
  }

  static std::uint64_t ahead(std::uint64_t finish, std::uint64_t now_ns, std::uint64_t depth) noexcept {
    const auto distance = finish - now_ns * kTicks;
    return distance > depth + kMostCost ? 0 : distance;
  }

  bool exchange(std::uint64_t& seen, std::uint64_t taken, std::uint64_t now_ns) noexcept {
    const auto depth = depth_.load(std::memory_order_relaxed);
    const auto owed = std::min(ahead(seen, now_ns, depth) + taken, depth + kMostCost);
    return finish_.compare_exchange_weak(seen, now_ns * kTicks + owed, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> finish_{0};
  std::atomic<std::uint64_t> price_{0};
  std::atomic<std::uint64_t> depth_{kDepthNs * kTicks};
  std::atomic<std::uint64_t> capacity_{kUnlimited.value};
};

}  // namespace foreflow::meter
