// SPDX-License-Identifier: Apache-2.0
// Where a treatment leads packets, and how a device tells it to the pipeline: in the packet's metadata (META), which
// its rules write and mbufs carry. A field per direction, since a packet between two VMs is treated twice; both fit
// into the 16 bits that every such device has. Place: dataplane/offload; rules write it, workers read it.
#pragma once
#include <cstdint>
#include <optional>

#include "common/ids.h"

namespace foreflow::offload {

struct Steering {
  std::optional<std::uint16_t> port = std::nullopt;  // ethdev; none: where the address leads
  std::uint8_t queue_group = 0;                      // 0 = the common transmit queues
  std::optional<std::uint8_t> queue = std::nullopt;  // of the uplink's, where it waits
  bool operator==(const Steering&) const = default;
};

// Of a field: the group in 2 bits, the port in 5, bit 7 = a port is given, the queue in 3, bit 11 = a queue is given.
// What reaches a VM can have a group only.
inline constexpr std::uint16_t kSteersAway = 0x80;
inline constexpr std::uint16_t kQueued = 0x800;

constexpr std::uint32_t steering_bits(Direction direction) { return direction == Direction::kEgress ? 12 : 2; }
constexpr std::uint32_t steering_offset(Direction direction) {
  return direction == Direction::kEgress ? 0 : steering_bits(Direction::kEgress);
}

constexpr std::uint16_t mark_of(const Steering& steering) {
  const auto port = steering.port ? kSteersAway | (*steering.port & 0x1fu) << 2 : 0u;
  const auto queue = steering.queue ? kQueued | (*steering.queue & 7u) << 8 : 0u;
  return static_cast<std::uint16_t>(queue | port | (steering.queue_group & 3u));
}

constexpr Steering steering_in(std::uint32_t metadata, Direction direction) {
  const auto mark = metadata >> steering_offset(direction) & ((1u << steering_bits(direction)) - 1);
  Steering steering{.queue_group = static_cast<std::uint8_t>(mark & 3u)};
  if ((mark & kSteersAway) != 0) steering.port = static_cast<std::uint16_t>(mark >> 2 & 0x1fu);
  if ((mark & kQueued) != 0) steering.queue = static_cast<std::uint8_t>(mark >> 8 & 7u);
  return steering;
}

}  // namespace foreflow::offload
