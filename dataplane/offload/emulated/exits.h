// SPDX-License-Identifier: Apache-2.0
// The device's own way out of its ports, beside the process's: what rules mirror or forward never comes to the CPU. The
// ports have no transmit queue to spare, so both use the first one, each burst under the port's lock.
// Place: dataplane/offload/emulated. Thread safety: send() from any thread; attach() while nobody sends.
#pragma once
#include <cstdint>

#include <rte_mbuf.h>

namespace foreflow::offload::emulated {

// Once the port has started: its transmit function is replaced by one that takes the lock around it.
void attach_exit(std::uint16_t port);
// Before the port closes: nothing is sent any more.
void detach_exit(std::uint16_t port);

// Takes the packet; one that the port does not accept is freed.
void send(std::uint16_t port, rte_mbuf* packet);

}  // namespace foreflow::offload::emulated
