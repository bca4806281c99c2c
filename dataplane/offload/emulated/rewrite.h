// SPDX-License-Identifier: Apache-2.0
// What the device changes in packets.
// Place: dataplane/offload/emulated.
#pragma once
#include <cstdint>

#include <rte_mbuf.h>

namespace foreflow::offload::emulated {

// Writes the DSCP of an IPv4 header, with its checksum, or of an IPv6 header; ECN stays. Other packets stay as they
// are.
void write_dscp(rte_mbuf& packet, std::uint8_t dscp);

}  // namespace foreflow::offload::emulated
