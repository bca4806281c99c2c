// SPDX-License-Identifier: Apache-2.0
// Where a treatment leads packets, and how a device tells it to the pipeline: in the packet's metadata (META), which
// its rules write and mbufs carry. One octet per direction, since a packet between two VMs is treated twice. Place:
// dataplane/offload; rules write it, workers read it.
#pragma once
#include <cstdint>
#include <optional>

#include "common/ids.h"

namespace foreflow::offload {

struct Steering {
  std::optional<std::uint16_t> port = std::nullopt;  // ethdev; none: where the address leads
  std::uint8_t queue_group = 0;                      // 0 = the common transmit queues
  bool operator==(const Steering&) const = default;
};

// Of an octet: bit 7 = a port is given, then the port in 5 bits and the group in 2.
inline constexpr std::uint8_t kSteersAway = 0x80;
inline constexpr std::uint32_t kSteeringBits = 8;

constexpr std::uint32_t steering_offset(Direction direction) {
  return direction == Direction::kEgress ? 0 : kSteeringBits;
}

constexpr std::uint8_t mark_of(const Steering& steering) {
  const auto port = steering.port ? kSteersAway | (*steering.port & 0x1fu) << 2 : 0u;
  return static_cast<std::uint8_t>(port | (steering.queue_group & 3u));
}

constexpr Steering steering_in(std::uint32_t metadata, Direction direction) {
  const auto mark = static_cast<std::uint8_t>(metadata >> steering_offset(direction));
  Steering steering{.queue_group = static_cast<std::uint8_t>(mark & 3u)};
  if ((mark & kSteersAway) != 0) steering.port = static_cast<std::uint16_t>(mark >> 2 & 0x1fu);
  return steering;
}

}  // namespace foreflow::offload
