// SPDX-License-Identifier: Apache-2.0
// Brings the packet path and the device to a desired state: device first, snapshot, grace period, then what is no
// longer needed goes. Place: dataplane/pipeline. Thread safety: control thread. Nothing here waits.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/bypasser.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/pipeline/peak_lender.h"
#include "dataplane/pipeline/retry.h"
#include "dataplane/vm/slots.h"

namespace foreflow::pipeline {

// What a desired state asked for and could not get.
struct Problem {
  std::string kind;  // of the event that tells it
  std::string text;  // for people
};

class Configurator {
 public:
  Configurator(Engine& engine, offload::Enforcer& enforcer, std::span<const port::Port> ports)
      : engine_(engine),
        enforcer_(enforcer),
        ports_(ports.begin(), ports.end()),
        bypasser_(engine.desks()),
        peak_lender_(engine, enforcer) {}

  // A change is under way; begin() and the two use() have to wait for finish().
  bool busy() const { return busy_; }
  void begin(const wire::DesiredState& desired);
  // The same desired state with other signatures.
  void use(std::shared_ptr<Signatures> signatures);
  // The same desired state with other ports: what could not be attached before is, what stood on a port that left is
  // not. Answered like a desired state.
  void use(std::vector<port::Port> ports);
  // Once the grace period is over: what was achieved. Only a change of the desired state has an answer.
  std::optional<wire::Applied> finish();
  // What the device refused is asked of it again, less often each time; once per tick, not while busy(). True: a change
  // is under way, which is answered only if something came of it.
  bool retry(std::uint64_t now_ns);

  // Moves flows between pipeline and device as workers ask for; once per tick.
  void serve_flows(std::uint64_t now_ns) {
    bypasser_.turn(enforcer_.flows(), now_ns, [this](const auto& request) { return may_bypass(request); });
  }
  // Lends unused capacity among VMs that the device meters; once per tick.
  void lend(std::uint64_t now_ns);
  // Before the workers stop: what the device carried is booked while they still can.
  void take_flows_back() {
    if (auto* device = enforcer_.flows()) bypasser_.retain(*device, [](const auto&) { return false; });
  }
  const Bypasser& bypasser() const { return bypasser_; }

  std::span<const port::Port> ports() const { return ports_; }
  const wire::DesiredState& desired() const { return desired_; }
  const offload::IntentSet& intents() const { return intents_; }
  const vm::SlotAllocator& slots() const { return slots_; }
  const Signatures* signatures() const { return signatures_.get(); }
  // Of the last desired state.
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  void follow(const wire::DesiredState& desired);
  void assign_slots();
  void set_capacities();
  void set_queues(std::size_t uplink, const wire::UplinkSpec& spec);
  void set_group_caps();
  void recall_flows();
  bool may_bypass(const BypassRequest& request) const;
  void publish();

  Engine& engine_;
  offload::Enforcer& enforcer_;
  std::vector<port::Port> ports_;
  Bypasser bypasser_;
  PeakLender peak_lender_;
  vm::SlotAllocator slots_;
  std::map<std::string, GroupSlot> groups_;
  wire::DesiredState desired_;
  offload::IntentSet intents_;
  std::shared_ptr<Signatures> signatures_;
  std::optional<wire::Applied> answer_;
  std::vector<wire::IntentResult> told_;  // the last answer that was given
  Retry retry_;
  bool retrying_ = false;
  std::vector<vm::Slot> draining_;
  std::vector<Problem> problems_;
  std::uint32_t queued_uplinks_ = 0;
  bool busy_ = false;
};

}  // namespace foreflow::pipeline
