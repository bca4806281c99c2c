// SPDX-License-Identifier: Apache-2.0
// What a thread can wait on until a receive queue has packets.
// Place: dataplane/port.
#pragma once
#include <cstdint>
#include <vector>

namespace foreflow::port {

// File descriptors of the running port, one per receive queue: readable (poll) as long as the queue has packets; they
// stay the driver's. Empty where the driver has none: all but AF_PACKET.
std::vector<int> arrival_fds(std::uint16_t port_id, std::uint16_t rx_queues);

}  // namespace foreflow::port
