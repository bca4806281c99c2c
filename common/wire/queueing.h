// SPDX-License-Identifier: Apache-2.0
// How an uplink's packets wait for each other: classes of traffic in queues, some served first, the others by weight.
// Place: common/wire, part of messages.h.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace foreflow::wire {

inline constexpr std::size_t kQueues = 8;
inline constexpr std::uint8_t kLastQueue = kQueues - 1;  // of what no rule gives a queue

struct QueueSpec {
  bool strict = false;       // served before every queue with a greater number, whatever waits there
  std::uint32_t weight = 1;  // of the others: its part of what the strict ones leave; at least 1
  bool operator==(const QueueSpec&) const = default;
};
inline constexpr std::uint32_t kLargestQueueWeight = 1'000;

struct Queueing {
  std::array<QueueSpec, kQueues> queues{};
  std::uint32_t longest_us = 10'000;  // each queue holds what the uplink sends in this time
  bool operator==(const Queueing&) const = default;
};
inline constexpr std::uint32_t kLongestQueueUs = 1'000'000;

}  // namespace foreflow::wire
