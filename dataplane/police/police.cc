// SPDX-License-Identifier: Apache-2.0
#include "dataplane/police/police.h"

namespace foreflow::police {
namespace {

using meter::Colour;
using meter::Residual;

// One burst against one state of the shared residuals.
class Attempt {
 public:
  Attempt(const Limits& limits, std::uint64_t now_ns) noexcept : limits_(limits), now_ns_(now_ns) {
    if (limits.group != nullptr) group_ = limits.group->open(now_ns);
  }

  void run(std::span<Offer> burst) noexcept {
    for (auto& offer : burst) {
      const Bytes size{offer.size};
      const auto colour = limits_.meter == nullptr ? Colour::kGreen : limits_.meter->colour(size);
      offer.passes = colour == Colour::kGreen || (colour == Colour::kYellow && borrows(offer));
      if (offer.passes) pay(offer, colour);
    }
  }

  bool settle_group() noexcept { return limits_.group == nullptr || limits_.group->try_settle(group_, now_ns_); }
  void settle_uplink() noexcept {
    if (uplink_open_) limits_.uplink->settle(uplink_, now_ns_);
    if (limits_.lender != nullptr) limits_.lender->green(Bytes{green_bytes_});
  }

 private:
  // The uplink's word is not touched by bursts that need nothing of it.
  Residual::Loan& uplink() noexcept {
    if (!uplink_open_) uplink_ = limits_.uplink->open(now_ns_);
    uplink_open_ = true;
    return uplink_;
  }

  bool borrows(const Offer& offer) noexcept {
    if (limits_.group != nullptr && !group_.has(Bytes{offer.size})) return false;
    if (!offer.over_uplink || limits_.uplink == nullptr) return true;
    if (has_share() && uplink().is_positive()) return true;
    if (limits_.borrower != nullptr) limits_.borrower->refused(now_ns_);
    return false;
  }

  bool has_share() noexcept {
    if (limits_.borrower == nullptr) return true;
    if (!refilled_) {
      limits_.lender->enlist(*limits_.borrower);
      limits_.borrower->refill(limits_.lender->level(), now_ns_);
    }
    refilled_ = true;
    return limits_.lender->level().is_unlimited() || limits_.borrower->may_borrow();
  }

  void pay(const Offer& offer, Colour colour) noexcept {
    const Bytes size{offer.size};
    if (limits_.meter != nullptr) limits_.meter->pay(size, colour);
    if (limits_.group != nullptr) group_.take(size);
    if (!offer.over_uplink || limits_.uplink == nullptr) return;
    uplink().take(size);
    if (colour == Colour::kGreen)
      green_bytes_ += offer.size;
    else if (limits_.borrower != nullptr)
      limits_.borrower->borrow(size);
  }

  const Limits& limits_;
  std::uint64_t now_ns_;
  Residual::Loan group_;
  Residual::Loan uplink_;
  bool uplink_open_ = false;
  bool refilled_ = false;
  std::uint64_t green_bytes_ = 0;
};

// The VM's own state is copied, so that a lost race for the tenant's word can be run again.
void decide_in_group(const Limits& limits, std::span<Offer> burst, std::uint64_t now_ns) noexcept {
  while (true) {
    if (limits.borrower != nullptr) limits.lender->enlist(*limits.borrower);  // by its own address
    auto meter = limits.meter == nullptr ? meter::TwoRateMeter{} : *limits.meter;
    auto borrower = limits.borrower == nullptr ? meter::Borrower{} : *limits.borrower;
    auto copy = limits;
    if (limits.meter != nullptr) copy.meter = &meter;
    if (limits.borrower != nullptr) copy.borrower = &borrower;
    Attempt attempt(copy, now_ns);
    attempt.run(burst);
    if (!attempt.settle_group()) continue;
    attempt.settle_uplink();
    if (limits.meter != nullptr) *limits.meter = meter;
    if (limits.borrower != nullptr) *limits.borrower = borrower;
    return;
  }
}

}  // namespace

void decide(const Limits& limits, std::span<Offer> burst, std::uint64_t now_ns) noexcept {
  if (limits.meter != nullptr) limits.meter->refill(now_ns);
  if (limits.group != nullptr) return decide_in_group(limits, burst, now_ns);
  Attempt attempt(limits, now_ns);
  attempt.run(burst);
  attempt.settle_uplink();
}

}  // namespace foreflow::police
