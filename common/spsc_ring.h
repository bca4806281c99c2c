// SPDX-License-Identifier: Apache-2.0
// A bounded queue of values between two threads, without locks.
// Place: common. Thread safety: push() by one thread, pop() by one other.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <optional>

namespace foreflow {

template <typename T, std::size_t Capacity>
class SpscRing {
  static_assert(std::has_single_bit(Capacity));

 public:
  // False: full, nothing happened.
  bool push(const T& value) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == Capacity) return false;
    values_[tail % Capacity] = value;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  std::optional<T> pop() noexcept {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> value = values_[head % Capacity];
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

 private:
  alignas(64) std::atomic<std::size_t> head_{0};  // writer: pop()
  alignas(64) std::atomic<std::size_t> tail_{0};  // writer: push()
  alignas(64) std::array<T, Capacity> values_{};
};

}  // namespace foreflow
