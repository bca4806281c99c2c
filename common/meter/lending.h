// SPDX-License-Identifier: Apache-2.0
// Who gets how much of what an uplink lends: weighted max-min among the VMs that have demand.
// Place: common/meter, beside the residual, which says how much is lent in all. One Lending per uplink and direction,
// shared; one Lender per worker of it; one Borrower per VM. Injected time, no allocation after construction.
//
// Water-filling, one step of it per turn: a VM that was refused lately is hungry, the others are sated. The level is
// what one unit of weight may borrow per second: what green and the sated leave of the capacity, over the weight of the
// hungry; never below the equal share of all. While nobody is hungry there is no limit but the residual. (Bertsekas and
// Gallager, Data Networks, 6.5.2, with the demands measured instead of known.)
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/units.h"

namespace foreflow::meter {

// Bytes per second for one unit of weight, in 2^-20.
struct LendingLevel {
  static constexpr unsigned kFraction = 20;
  std::uint64_t value = ~std::uint64_t{0};
  bool is_unlimited() const noexcept { return value == ~std::uint64_t{0}; }
};

// One VM's borrowing in one direction. Owner only.
class Borrower {
 public:
  static constexpr std::uint64_t kDepthNs = 2'000'000;  // of the share: what a pause may save up

  void set_weight(std::uint32_t weight) noexcept { weight_ = weight; }
  std::uint32_t weight() const noexcept { return weight_; }

  // Once per burst with yellow packets.
  void refill(LendingLevel level, std::uint64_t now_ns) noexcept;
  // The share has something left; like the residual it lends the whole packet then.
  bool may_borrow() const noexcept { return credit_ > 0; }
  void borrow(Bytes size) noexcept {
    credit_ -= static_cast<__int128>(size.value) * kNanosPerSecond;
    borrowed_ += size.value;
  }
  void refused(std::uint64_t now_ns) noexcept { refused_ns_ = now_ns; }

 private:
  friend class Lender;
  __int128 credit_ = 1;  // byte-nanoseconds per second, as in TokenBucket
  std::uint64_t filled_ns_ = 0;
  std::uint64_t refused_ns_ = 0;
  std::uint64_t borrowed_ = 0;  // since the last turn
  std::uint64_t rate_ = 0;      // smoothed, bytes per second
  std::uint32_t weight_ = 1;
  bool listed_ = false;
};

// What the workers tell each other about one uplink and direction. Each cell has one writer.
class Lending {
 public:
  explicit Lending(std::size_t workers = 0) : cells_(std::make_unique<Cell[]>(workers)), workers_(workers) {}

  struct Standing {
    std::uint64_t green = 0;  // bytes per second, smoothed
    std::uint64_t sated = 0;
    std::uint64_t sated_weight = 0;
    std::uint64_t hungry_weight = 0;
  };
  void publish(std::size_t worker, const Standing& standing, std::uint64_t now_ns) noexcept;
  LendingLevel level(BytesPerSecond capacity, std::uint64_t now_ns) const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> time_ns{0};
    std::atomic<std::uint64_t> green{0};
    std::atomic<std::uint64_t> sated{0};
    std::atomic<std::uint64_t> sated_weight{0};
    std::atomic<std::uint64_t> hungry_weight{0};
  };
  static constexpr std::uint64_t kStaleNs = 10'000'000;  // of a worker that sleeps or has stopped

  std::unique_ptr<Cell[]> cells_;
  std::size_t workers_;
};

// A worker's part: it keeps the list of its VMs that borrow.
class Lender {
 public:
  static constexpr std::uint64_t kTurnNs = 200'000;
  static constexpr std::uint64_t kHungryNs = 5'000'000;  // after a refusal
  static constexpr std::uint64_t kSmoothNs = 2'000'000;  // time constant of measured rates

  Lender(Lending& lending, std::size_t worker, std::size_t most_borrowers) : lending_(lending), worker_(worker) {
    borrowers_.reserve(most_borrowers);
  }

  LendingLevel level() const noexcept { return level_; }
  void green(Bytes size) noexcept { green_bytes_ += size.value; }
  // The VM has yellow packets. Its address stays until it left the list: see forget().
  void enlist(Borrower& borrower) noexcept {
    if (borrower.listed_) return;
    borrower.listed_ = true;
    borrowers_.push_back(&borrower);
  }
  // Before a borrower is reset or goes.
  void forget(Borrower& borrower) noexcept;
  // Once per poll; does something at most every kTurnNs.
  void turn(BytesPerSecond capacity, std::uint64_t now_ns) noexcept {
    if (now_ns - turned_ns_ >= kTurnNs) settle(capacity, now_ns);
  }

 private:
  void settle(BytesPerSecond capacity, std::uint64_t now_ns) noexcept;

  Lending& lending_;
  std::size_t worker_;
  std::vector<Borrower*> borrowers_;
  LendingLevel level_;
  std::uint64_t green_bytes_ = 0;
  std::uint64_t green_rate_ = 0;
  std::uint64_t turned_ns_ = 0;
};

}  // namespace foreflow::meter
