// SPDX-License-Identifier: Apache-2.0
// Segments at the uplink: a VM's port is an access port, the uplink carries the tag; segment 0 is untagged.
// Place: dataplane/pipeline.
#pragma once
#include <cstdint>
#include <cstring>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "common/ids.h"
#include "dataplane/net/parse.h"

namespace foreflow::pipeline {

inline constexpr std::uint32_t kTagSize = 4;

// A port's largest frame has room for one tag.
constexpr bool fits(std::uint32_t untagged_size, std::uint32_t largest_frame) {
  return untagged_size + kTagSize <= largest_frame;
}

// The largest frame of a VM that all such ports take; 0: none.
constexpr std::uint32_t largest_untagged(std::uint32_t largest_frame) {
  return largest_frame < kTagSize ? 0 : largest_frame - kTagSize;
}

// False: no room before the frame. The packet must not share its bytes.
inline bool insert_tag(rte_mbuf* packet, Segment segment) noexcept {
  if (segment.value == 0) return true;
  packet->vlan_tci = static_cast<std::uint16_t>(segment.value);
  return rte_vlan_insert(&packet) == 0;
}

// Removes the outer tag that `parsed` found, of whatever type, and moves its offsets along.
inline void remove_tag(rte_mbuf* packet, net::Parsed& parsed) noexcept {
  auto* start = rte_pktmbuf_mtod(packet, std::uint8_t*);
  if (rte_pktmbuf_adj(packet, kTagSize) == nullptr) return;
  std::memmove(start + kTagSize, start, 2 * RTE_ETHER_ADDR_LEN);
  parsed.segment = {};
  parsed.l3_offset = static_cast<std::uint16_t>(parsed.l3_offset - kTagSize);
  parsed.payload_offset = static_cast<std::uint16_t>(parsed.payload_offset - kTagSize);
}

}  // namespace foreflow::pipeline
