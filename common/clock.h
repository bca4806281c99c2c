// SPDX-License-Identifier: Apache-2.0
// Time is injected. Control code takes a Clock; packet code takes a plain now_ns from its caller.
// Place: common.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

#include "common/units.h"

namespace foreflow {

// Thread safety: all members may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixNanos now() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixNanos now() const override {
    return UnixNanos{
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count()};
  }
};

// Moves only when told to; for tests, simulation and replayed captures.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixNanos start = {}) : now_(start.value) {}
  UnixNanos now() const override { return UnixNanos{now_.load(std::memory_order_relaxed)}; }
  void set(UnixNanos time) { now_.store(time.value, std::memory_order_relaxed); }
  void advance(std::chrono::nanoseconds by) { now_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_;
};

}  // namespace foreflow
