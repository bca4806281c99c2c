// SPDX-License-Identifier: Apache-2.0
// The time by which the emulated device's meters earn tokens.
// Place: dataplane/offload/emulated. Thread safety: all members from any thread.
#pragma once
#include <atomic>
#include <cstdint>

#include <rte_mbuf.h>

#include "dataplane/offload/emulated/emulated.h"

namespace foreflow::offload::emulated {

class DeviceClock {
 public:
  explicit DeviceClock(const EswitchConfig& config) : source_(config.time), timestamp_ns_(config.timestamp_ns) {}

  // When the packet arrived.
  std::uint64_t of(const rte_mbuf& packet);
  // For changes that no packet causes: the time of the newest packet where packets carry the time.
  std::uint64_t now() const;
  // For a meter's new rates. Ports whose packets carry the time are read ahead of each other, so that another port's
  // newest may be far in this meter's future: 0, which leaves it at its own last packet.
  std::uint64_t of_change() const { return source_ == TimeSource::kRxTimestamp ? 0 : now(); }
  void replace(std::uint64_t (*now_ns)()) { replacement_.store(now_ns, std::memory_order_relaxed); }

 private:
  TimeSource source_;
  std::uint64_t timestamp_ns_;
  std::atomic<std::uint64_t (*)()> replacement_{nullptr};
  std::atomic<std::uint64_t> newest_{0};
};

}  // namespace foreflow::offload::emulated
