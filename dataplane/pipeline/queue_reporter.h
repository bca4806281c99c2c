// SPDX-License-Identifier: Apache-2.0
// What happened in the queues of the uplinks since the last report.
// Place: dataplane/pipeline, part of Reporter. Thread safety: control thread.
#pragma once
#include <array>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/pipeline/engine.h"

namespace foreflow::pipeline {

class QueueReporter {
 public:
  explicit QueueReporter(const Engine& engine) : engine_(engine), last_(engine.uplink_queues().size()) {}

  // Of those where something happened or waits. `uplink`: in the order of the ports.
  std::vector<wire::QueueSample> samples(std::size_t uplink);

 private:
  const Engine& engine_;
  std::vector<std::array<wire::QueueSample, wire::kQueues>> last_;  // totals, by uplink
};

}  // namespace foreflow::pipeline
