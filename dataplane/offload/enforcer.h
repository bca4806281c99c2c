// SPDX-License-Identifier: Apache-2.0
// Decides per intent between the device and software, falls back as the intent allows, and moves an intent between the
// two make-before-break.
// Place: dataplane/offload, between the control thread and the backends. Thread safety: control thread only.
//
// One change is: prepare() -> publish a snapshot that meters software_limits() -> retire(). So a VM is metered at least
// once at every moment, and never twice for longer than the grace period.
#pragma once
#include <memory>
#include <vector>

#include "common/meter/two_rate.h"
#include "common/wire/messages.h"
#include "dataplane/offload/backend.h"
#include "dataplane/offload/intent.h"

namespace foreflow::offload {

// What the pipeline itself has to meter.
struct SoftwareLimit {
  IntentId intent;
  VmId vm;
  Direction direction = Direction::kEgress;
  meter::TwoRate limit;
  std::uint32_t weight = 1;
};

class Enforcer {
 public:
  // `device` may be null: everything is then enforced in software.
  explicit Enforcer(std::unique_ptr<OffloadBackend> device);

  wire::Capabilities probe(const std::vector<std::uint16_t>& port_ids);

  // Brings the device to `desired` as far as it goes. One result per intent of `desired`, in order of IntentId.
  // Refused and failed intents are tried again by the next call with the same set.
  std::vector<wire::IntentResult> prepare(const IntentSet& desired);
  const std::vector<SoftwareLimit>& software_limits() const { return software_limits_; }
  void retire();

  // Device intents only; software counters are in vm::VmState.
  std::vector<wire::IntentStats> read_device_stats();

 private:
  std::unique_ptr<OffloadBackend> device_;
  IntentSet on_device_;
  std::vector<IntentId> to_retire_;
  std::vector<SoftwareLimit> software_limits_;
};

}  // namespace foreflow::offload
