// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/queue_reporter.h"

#include <utility>

namespace foreflow::pipeline {
namespace {

wire::QueueSample totals_of(const police::QueueCounters& counters, std::size_t queue) {
  return {.queue = static_cast<std::uint8_t>(queue),
          .passed_packets = counters.passed_packets.read(),
          .passed_bytes = counters.passed_bytes.read(),
          .dropped_packets = counters.dropped_packets.read(),
          .dropped_bytes = counters.dropped_bytes.read(),
          .waited_ns = counters.waited_ns.read()};
}

}  // namespace

std::vector<wire::QueueSample> QueueReporter::samples(std::size_t uplink) {
  std::vector<wire::QueueSample> all;
  const auto queues = engine_.uplink_queues();
  auto* scheduler = uplink < queues.size() ? queues[uplink]->scheduler() : nullptr;
  if (scheduler == nullptr) return all;
  for (std::size_t queue = 0; queue < wire::kQueues; ++queue) {
    const auto& counters = scheduler->counters(queue);
    const auto now = totals_of(counters, queue);
    const auto before = std::exchange(last_[uplink][queue], now);
    auto sample = now;
    sample.passed_packets -= before.passed_packets;
    sample.passed_bytes -= before.passed_bytes;
    sample.dropped_packets -= before.dropped_packets;
    sample.dropped_bytes -= before.dropped_bytes;
    sample.waited_ns -= before.waited_ns;
    sample.longest_ns = scheduler->take_longest_ns(queue);
    sample.waiting_packets = counters.waiting.read();
    if (sample != wire::QueueSample{.queue = sample.queue}) all.push_back(sample);
  }
  return all;
}

}  // namespace foreflow::pipeline
