// SPDX-License-Identifier: Apache-2.0
// Fingerprints of the TLS clients of flows, beside the records, which have no room for them: of those flows of a worker
// that showed one last, in fixed memory. Place: dataplane/pipeline; written as flows are classified, read for reports.
// One worker owns it.
#pragma once
#include "common/units.h"
#include "dataplane/classify/conversation.h"
#include "dataplane/classify/fingerprint.h"
#include "dataplane/classify/recent.h"
#include "dataplane/flow/flow_table.h"

namespace foreflow::pipeline {

// A flow as the classifier knows it: end 0 is the VM's. Who opened it is not said.
inline classify::FlowEnds ends_of(const flow::FlowKey& key) noexcept {
  return {.address = {key.local, key.remote},
          .port = {key.local_port, key.remote_port},
          .ip_protocol = key.protocol,
          .vm = key.vm};
}

class Fingerprints {
 public:
  void put(const flow::FlowKey& flow, const classify::Fingerprint& seen, std::uint64_t now_ns) noexcept {
    kept_.put(classify::flow_key(ends_of(flow)), seconds(now_ns), seen);
  }
  // Null when it had to make room since, or is an hour old.
  const classify::Fingerprint* find(const flow::FlowKey& flow, std::uint64_t now_ns) const noexcept {
    return kept_.find(classify::flow_key(ends_of(flow)), seconds(now_ns));
  }
  void forget(const flow::FlowKey& flow) noexcept { kept_.erase(classify::flow_key(ends_of(flow))); }
  void forget(vm::Slot vm) noexcept { kept_.clear(vm); }

 private:
  static constexpr std::size_t kMost = 4'096;
  static constexpr std::uint32_t kLifetimeSeconds = 3'600;

  static std::uint32_t seconds(std::uint64_t now_ns) noexcept {
    return static_cast<std::uint32_t>(now_ns / kNanosPerSecond);
  }

  classify::Recent<classify::Fingerprint> kept_{kMost, kLifetimeSeconds};
};

}  // namespace foreflow::pipeline
