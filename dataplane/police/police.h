// SPDX-License-Identifier: Apache-2.0
// Decides which packets of a VM pass: its two-rate meter, its tenant's cap, and what the uplink lends.
// Place: dataplane/police. Arithmetic only: no port, no packet, no clock. Thread safety: the VM's owner calls.
#pragma once
#include <cstdint>

#include "common/meter/lending.h"
#include "common/meter/residual.h"
#include "common/meter/two_rate.h"

namespace foreflow::police {

// One direction of one uplink during a burst of one worker, whatever VMs it is of: the shared residual is read when the
// first packet asks for it, and written once, by settle().
class Uplink {
 public:
  Uplink() = default;
  Uplink(meter::Residual* residual, meter::Lender* lender) : residual_(residual), lender_(lender) {}

  bool is_there() const noexcept { return residual_ != nullptr; }
  // `borrower`: whose share counts; null: nobody shares.
  bool lends(meter::Borrower* borrower, std::uint64_t now_ns) noexcept {
    if (borrower != nullptr && !has_share(*borrower, now_ns)) return false;
    return loan(now_ns).is_positive();
  }
  void charge(Bytes size, meter::Colour colour, meter::Borrower* borrower, std::uint64_t now_ns) noexcept {
    loan(now_ns).take(size);
    if (colour == meter::Colour::kGreen)
      green_bytes_ += size.value;
    else if (borrower != nullptr)
      borrower->borrow(size);
  }
  void settle(std::uint64_t now_ns) noexcept {
    if (!open_) return;
    residual_->settle(loan_, now_ns);
    if (lender_ != nullptr) lender_->green(Bytes{green_bytes_});
    open_ = false;
    green_bytes_ = 0;
  }

 private:
  meter::Residual::Loan& loan(std::uint64_t now_ns) noexcept {
    if (!open_) loan_ = residual_->open(now_ns);
    open_ = true;
    return loan_;
  }
  bool has_share(meter::Borrower& borrower, std::uint64_t now_ns) noexcept {
    lender_->enlist(borrower);
    borrower.refill(lender_->level(), now_ns);
    return lender_->level().is_unlimited() || borrower.may_borrow();
  }

  meter::Residual* residual_ = nullptr;
  meter::Lender* lender_ = nullptr;
  meter::Residual::Loan loan_;
  bool open_ = false;
  std::uint64_t green_bytes_ = 0;
};

// What stands in the way of one VM and direction. Everything may be null.
struct Limits {
  meter::TwoRateMeter* meter = nullptr;  // null: no limit, or the device meters; everything is green
  Uplink* uplink = nullptr;
  meter::Residual* group = nullptr;     // the cap that the VM shares with others of its tenant
  meter::Borrower* borrower = nullptr;  // the VM's share of what the uplink lends
};

// The colour by which the packet passes, and is charged; kRed: it does not pass. As admit(), which says whether.
meter::Colour judge(const Limits& limits, Bytes size, bool over_uplink, std::uint64_t now_ns) noexcept;

// True: the packet passes, and is charged. Green always passes. Yellow passes while its tenant's cap has room for it,
// and over the uplink while the residual lends and the VM's share is not used up. Red never passes. Between local VMs
// nothing is charged to the uplink. The tenant's residual is written per packet, and read again when another worker
// charged it meanwhile: its cap is exact.
inline bool admit(const Limits& limits, Bytes size, bool over_uplink, std::uint64_t now_ns) noexcept {
  return judge(limits, size, over_uplink, now_ns) != meter::Colour::kRed;
}

}  // namespace foreflow::police
