// SPDX-License-Identifier: Apache-2.0
// Token bucket on injected time: the arithmetic of one rate and one burst, and nothing else.
// Place: common/meter; used by the packet path (time = TSC ns) and by simulation (time = trace ns).
// Thread safety: none, the owner of a VM owns its buckets.
#pragma once
#include <algorithm>
#include <cstdint>

#include "common/units.h"

namespace foreflow::meter {

// Credit is kept in byte-nanoseconds per second, so no remainder is ever lost: any window T passes at most
// rate * T + burst bytes, exactly. A word holds it, so a burst counts as kMostBurst at most.
class TokenBucket {
 public:
  static constexpr Bytes kMostBurst{~std::uint64_t{0} / kNanosPerSecond};  // 18 GB

  TokenBucket() = default;
  TokenBucket(BytesPerSecond rate, Bytes burst) {
    set_rate(rate, burst);
    credit_ = full_;
  }

  // Adds what `now_ns` has earned. Time that runs backwards earns nothing.
  void refill(std::uint64_t now_ns) noexcept {
    if (now_ns <= last_ns_) return;
    const auto elapsed = now_ns - last_ns_;
    last_ns_ = now_ns;
    // Within fill_ns_ no more than a whole burst is earned, which a word holds.
    const auto earned = elapsed <= fill_ns_ ? elapsed * rate_.value : full_;
    credit_ = earned < full_ - credit_ ? credit_ + earned : full_;
  }

  bool has(Bytes size) const noexcept { return size.value <= kMostBurst.value && cost(size) <= credit_; }

  // Takes `size` bytes if they are there; otherwise leaves the bucket as it is.
  bool take(Bytes size) noexcept {
    if (!has(size)) return false;
    credit_ -= cost(size);
    return true;
  }

  // A new rate never refills: the credit stays, clipped to the new burst. Call refill(now) first, so that the time
  // until now is earned at the old rate.
  void set_rate(BytesPerSecond rate, Bytes burst) noexcept {
    rate_ = rate;
    full_ = cost(std::min(burst, kMostBurst));
    fill_ns_ = rate.value == 0 ? ~std::uint64_t{0} : full_ / rate.value;
    credit_ = std::min(credit_, full_);
  }

  BytesPerSecond rate() const noexcept { return rate_; }
  Bytes burst() const noexcept { return {full_ / kNanosPerSecond}; }

 private:
  static std::uint64_t cost(Bytes size) noexcept { return size.value * kNanosPerSecond; }

  std::uint64_t credit_ = 0;
  std::uint64_t last_ns_ = 0;
  BytesPerSecond rate_;
  std::uint64_t fill_ns_ = ~std::uint64_t{0};  // from empty to full, rounded down
  std::uint64_t full_ = 0;
};

}  // namespace foreflow::meter
