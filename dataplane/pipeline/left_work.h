// SPDX-License-Identifier: Apache-2.0
// What a guest may leave to its device: a checksum over the payload (virtio's NEEDS_CSUM), cutting a large segment.
// Place: dataplane/pipeline, at reception. No port of ours is asked to do it when the packet leaves, so it is done
// here.
#pragma once
#include <cstdint>

#include <rte_mbuf.h>

#include "dataplane/net/parse.h"

namespace foreflow::pipeline {

// Of bits that say so, in the words of a receiving driver or of a sender; RTE_MBUF_F_RX_L4_CKSUM_NONE is two bits, one
// of which is BAD alone.
inline constexpr std::uint64_t kMaybeLeft =
    RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG |
    RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM | RTE_MBUF_F_RX_L4_CKSUM_BAD | RTE_MBUF_F_RX_LRO;

inline bool may_be_left(const rte_mbuf& packet) noexcept { return (packet.ol_flags & kMaybeLeft) != 0; }

// Does what was left, in the packet's bytes (it must not share them), and takes the wish away. False: nobody here can,
// and the packet must not go on: a segment to be cut, a checksum of something else than TCP and UDP, of a fragment or
// of a header of a tunnel. `parsed`: all of the packet.
bool do_left_work(rte_mbuf& packet, const net::Parsed& parsed) noexcept;

}  // namespace foreflow::pipeline
