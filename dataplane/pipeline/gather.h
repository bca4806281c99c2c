// SPDX-License-Identifier: Apache-2.0
// Headers that a device left in pieces.
// Place: dataplane/pipeline.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <rte_mbuf.h>
#include <rte_memcpy.h>

namespace foreflow::pipeline {

inline constexpr std::uint16_t kMostHeaders = 256;  // what the parser asks for at least

// Moves bytes of the following segments into the first, until it holds `wanted` or all of the packet, or is full. The
// packet must not share its bytes.
inline void gather(rte_mbuf* packet, std::uint16_t wanted = kMostHeaders) noexcept {
  if (!RTE_MBUF_DIRECT(packet) || rte_mbuf_refcnt_read(packet) != 1) return;
  while (packet->next != nullptr && packet->data_len < wanted) {
    auto* next = packet->next;
    const auto missing = static_cast<std::uint16_t>(wanted - packet->data_len);
    const auto count = std::min({missing, next->data_len, rte_pktmbuf_tailroom(packet)});
    if (count == 0 && next->data_len != 0) return;
    rte_memcpy(rte_pktmbuf_mtod_offset(packet, std::uint8_t*, packet->data_len), rte_pktmbuf_mtod(next, const void*),
               count);
    packet->data_len = static_cast<std::uint16_t>(packet->data_len + count);
    next->data_off = static_cast<std::uint16_t>(next->data_off + count);
    next->data_len = static_cast<std::uint16_t>(next->data_len - count);
    if (next->data_len != 0) continue;
    packet->next = next->next;
    --packet->nb_segs;
    rte_pktmbuf_free_seg(next);
  }
}

}  // namespace foreflow::pipeline
