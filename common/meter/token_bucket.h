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
// rate * T + burst bytes, exactly.
class TokenBucket {
 public:
  TokenBucket() = default;
  TokenBucket(BytesPerSecond rate, Bytes burst) : rate_(rate), burst_(burst), credit_(full()) {}

  // Adds what `now_ns` has earned. Time that runs backwards earns nothing.
  void refill(std::uint64_t now_ns) noexcept {
    if (now_ns <= last_ns_) return;
    const auto earned = static_cast<unsigned __int128>(now_ns - last_ns_) * rate_.value;
    credit_ = std::min(credit_ + earned, full());
    last_ns_ = now_ns;
  }

  bool has(Bytes size) const noexcept { return cost(size) <= credit_; }

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
    burst_ = burst;
    credit_ = std::min(credit_, full());
  }

  BytesPerSecond rate() const noexcept { return rate_; }
  Bytes burst() const noexcept { return burst_; }

 private:
  static unsigned __int128 cost(Bytes size) noexcept {
    return static_cast<unsigned __int128>(size.value) * kNanosPerSecond;
  }
  unsigned __int128 full() const noexcept { return cost(burst_); }

  BytesPerSecond rate_;
  Bytes burst_;
  unsigned __int128 credit_ = 0;
  std::uint64_t last_ns_ = 0;
};

}  // namespace foreflow::meter
