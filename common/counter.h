// SPDX-License-Identifier: Apache-2.0
// One writer, many readers: a counter that the owner adds to without a locked instruction.
// Place: common; per-VM and per-worker counters of the dataplane.
#pragma once
#include <atomic>
#include <cstdint>

namespace foreflow {

// Thread safety: add() and raise() by the one documented writer only; read() by anyone.
class Counter {
 public:
  void add(std::uint64_t n) noexcept { value_.store(read() + n, std::memory_order_relaxed); }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  // Does not write a shared line whose value would not change.
  void raise(std::uint64_t n) noexcept {
    if (n > read()) value_.store(n, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace foreflow
