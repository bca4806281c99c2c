// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/handover.h"

#include <algorithm>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_lcore.h>

namespace foreflow::pipeline {

Result<Handover> Handover::create(std::uint16_t workers) {
  static const rte_mbuf_dynfield kField{"foreflow_passage", sizeof(Passage), alignof(Passage), 0};
  Handover handover;
  handover.workers_ = workers;
  handover.field_ = rte_mbuf_dynfield_register(&kField);
  if (handover.field_ < 0)
    return fail(ErrorCode::kExhausted,
                fmt::format("no room for {} bytes in the packet buffer: {}", sizeof(Passage), rte_strerror(rte_errno)));
  for (std::uint16_t from = 0; from < workers; ++from) {
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

}  // namespace foreflow::pipeline
