// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/handover.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_lcore.h>

namespace foreflow::pipeline {
namespace {

// Of a ring's end, as its owner publishes it.
std::uint32_t position(volatile std::uint32_t& tail) noexcept {
  return std::atomic_ref(const_cast<std::uint32_t&>(tail)).load(std::memory_order_acquire);
}

}  // namespace

Result<Handover> Handover::create(std::uint16_t workers) {
  static const rte_mbuf_dynfield kField{"foreflow_passage", sizeof(Passage), alignof(Passage), 0};
  Handover handover;
  handover.workers_ = workers;
  handover.field_ = rte_mbuf_dynfield_register(&kField);
  if (handover.field_ < 0)
    return fail(ErrorCode::kExhausted,
                fmt::format("no room for {} bytes in the packet buffer: {}", sizeof(Passage), rte_strerror(rte_errno)));
  for (std::uint16_t from = 0; from < workers; ++from) {
    auto doorbell = Doorbell::create();
    if (!doorbell) return tl::unexpected(doorbell.error());
    handover.doorbells_.push_back(std::move(*doorbell));
    for (std::uint16_t to = 0; to < workers; ++to) {
      const auto name = fmt::format("handover_{}_{}", from, to);
      auto* ring =
          from == to ? nullptr : rte_ring_create(name.c_str(), kRingSize, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
      if (from != to && ring == nullptr)
        return fail(ErrorCode::kExhausted,
                    fmt::format("ring {} of {} entries: {}", name, kRingSize, rte_strerror(rte_errno)));
      handover.rings_.emplace_back(ring);
    }
  }
  return handover;
}

bool Handover::empty() const noexcept {
  return std::all_of(rings_.begin(), rings_.end(),
                     [](const auto& ring) { return !ring || rte_ring_empty(ring.get()); });
}

bool Handover::empty(std::uint16_t to) const noexcept {
  for (std::uint16_t from = 0; from < workers_; ++from)
    if (from != to && !rte_ring_empty(ring(from, to))) return false;
  return true;
}

std::vector<std::uint32_t> Handover::filled() const {
  std::vector<std::uint32_t> positions;
  for (const auto& ring : rings_) positions.push_back(ring ? position(ring->prod.tail) : 0);
  return positions;
}

bool Handover::taken(std::span<const std::uint32_t> filled) const noexcept {
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    if (!rings_[i]) continue;
    const auto taken = position(rings_[i]->cons.tail);
    if (static_cast<std::int32_t>(taken - filled[i]) < 0) return false;  // positions wrap around
  }
  return true;
}

}  // namespace foreflow::pipeline
