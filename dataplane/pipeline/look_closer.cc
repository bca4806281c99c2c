// SPDX-License-Identifier: Apache-2.0
// The slow way into the packet path.
#include <algorithm>

#include <rte_memcpy.h>

#include "dataplane/pipeline/forwarder.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint16_t kMostHeaders = 512;  // more than the parser asks for: the options of a tunnel are 252

bool is_ours_alone(const rte_mbuf* packet) noexcept {
  return RTE_MBUF_DIRECT(packet) && rte_mbuf_refcnt_read(packet) == 1;
}

// Moves bytes of the following segments into the first, until it holds the headers or all of the packet, or is full.
void gather(rte_mbuf* packet) noexcept {
  while (packet->next != nullptr && packet->data_len < kMostHeaders) {
    auto* next = packet->next;
    const auto missing = static_cast<std::uint16_t>(kMostHeaders - packet->data_len);
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

void parse_all(Frame& frame) noexcept {
  frame.malformed = net::parse(bytes_of(frame.packet), frame.size, frame.parsed) != net::ParseStatus::kOk;
}

}  // namespace

void look_closer(Frame& frame) noexcept {
  auto* packet = frame.packet;
  const bool may_write = is_ours_alone(packet);
  if (frame.malformed && packet->nb_segs > 1 && may_write) gather(packet);
  parse_all(frame);
  if (frame.malformed)
    packet->ol_flags &= ~kMaybeLeft;  // malformed, whatever was left
  else if (may_be_left(*packet))
    frame.malformed = !may_write || !do_left_work(*packet, frame.parsed);
}

void gather_headers(Frame& frame) noexcept {
  if (!is_ours_alone(frame.packet)) return;
  gather(frame.packet);
  parse_all(frame);
}

}  // namespace foreflow::pipeline
