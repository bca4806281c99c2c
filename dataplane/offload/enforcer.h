// SPDX-License-Identifier: Apache-2.0
// Decides per intent between the device and software, falls back as the intent allows, and moves an intent between the
// two make-before-break.
// Place: dataplane/offload, between the control thread and the backends. Thread safety: control thread only.
//
// One change is: prepare() -> publish a snapshot that meters software_limits() -> retire(). So a VM is metered at least
// once at every moment, and never twice for longer than the grace period.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/meter/two_rate.h"
#include "common/wire/messages.h"
#include "dataplane/offload/backend.h"
#include "dataplane/offload/intent.h"
#include "dataplane/offload/treatment.h"

namespace foreflow::offload {

// What the pipeline itself has to meter.
struct SoftwareLimit {
  IntentId intent;
  VmId vm;
  Direction direction = Direction::kEgress;
  meter::TwoRate limit;
  std::uint32_t weight = 1;
  bool shape = false;
};

// What the device counted for one intent since it was installed.
struct DeviceStats {
  wire::IntentStats stats;
  VmId vm;
  Direction direction = Direction::kEgress;
  wire::DropCause cause = wire::DropCause::kPoliced;  // of what it dropped
};

class Enforcer {
 public:
  // `device` may be null: everything is then enforced in software.
  explicit Enforcer(std::unique_ptr<OffloadBackend> device);

  // Finds out what the device can do on these ports and removes what a former process left there. Call it before the
  // first prepare(), and again with all ports whenever a port came or went.
  wire::Capabilities probe(const std::vector<std::uint16_t>& port_ids);

  // Brings the device to `desired` as far as it goes. One result per intent of `desired`, in order of IntentId.
  // Refused and failed intents are tried again by the next call with the same set; unsettled() says whether to.
  std::vector<wire::IntentResult> prepare(const IntentSet& desired);
  // The device refused or lost something of the last desired set, or does not give up what it no longer shall hold.
  bool unsettled() const { return refused_ || lost_ || !leaving_.empty(); }
  const std::vector<SoftwareLimit>& software_limits() const { return software_limits_; }
  const std::vector<SoftwareTreatment>& software_treatments() const { return software_treatments_; }
  // VMs whose long flows the device may carry: everything else that concerns them is in the device, too, but for rules
  // that are for an application (treated_categories()).
  using Bypasses = std::map<VmId, std::vector<wire::Bypass>>;  // of a VM: each category at most once
  const Bypasses& bypasses() const { return bypasses_; }
  // VMs some of whose packets the device marks for the pipeline to steer.
  std::set<VmId> marked() const;
  // Null: there is no device that carries flows.
  FlowOffload* flows() { return device_usable_ ? device_->flows() : nullptr; }
  // Takes from the device what the last prepare() moved to software or no longer wanted. What the device does not give
  // up stays in read_device_stats() and is tried again by the next prepare() and retire().
  void retire();

  // Changes the peaks of limits that the device enforces, between what is committed and what was asked for; in force
  // until the next call or until the limit leaves the device. What the device refuses stays as it is.
  void lend(const std::map<IntentId, BytesPerSecond>& peaks);
  // The limits that lend() may change; none where the device cannot lend.
  std::vector<std::pair<IntentId, wire::Police>> lendable() const;

  // Device intents only; software counters are in vm::VmState. What the device turns out to have lost is unsettled().
  std::vector<DeviceStats> read_device_stats();
  // The last counts of what has left the device since the last call.
  std::vector<DeviceStats> take_last_stats() { return std::exchange(last_stats_, {}); }
  bool on_device(IntentId id) const { return on_device_.contains(id) || leaving_.contains(id); }

  // How the device enforces the intent; nullopt when it does not.
  std::optional<std::string> explain(IntentId id) const;

 private:
  using Reasons = std::map<IntentId, std::string>;
  Reasons for_software(const IntentSet& desired) const;
  static void follow_to_software(const IntentSet& desired, Reasons& reasons);
  void move_to_software(const ResolvedIntent& intent);
  std::vector<wire::IntentResult> apply(const IntentSet& wanted);
  std::vector<wire::IntentResult> tell(const IntentDelta& delta);
  IntentDelta with_lent_peaks(const IntentDelta& delta) const;
  void notice_losses();
  void forget_gone(const std::vector<DeviceStats>& counted);
  void settle_refusals(const IntentSet& desired, const std::map<IntentId, wire::IntentResult>& answers,
                       Reasons& reasons) const;
  wire::IntentResult settle(const ResolvedIntent& intent, const Reasons& reasons);
  void settle_bypasses(const IntentSet& desired, std::vector<wire::IntentResult>& results);
  std::string why_no_bypass(const ResolvedIntent& intent) const;

  std::unique_ptr<OffloadBackend> device_;
  bool device_usable_ = false;
  bool lends_ = false;
  bool lost_ = false;     // by the device, of what it had taken
  bool refused_ = false;  // by the device, of what it was asked last
  IntentSet on_device_;
  std::map<IntentId, wire::IntentResult> achieved_;  // one entry per member of on_device_
  std::map<IntentId, BytesPerSecond> lent_;          // peaks below what was asked for
  IntentSet leaving_;  // told to go, but the device has something of them left: in force no longer
  std::vector<IntentId> to_retire_;
  std::vector<DeviceStats> last_stats_;
  std::vector<SoftwareLimit> software_limits_;
  std::vector<SoftwareTreatment> software_treatments_;
  Bypasses bypasses_;
  std::map<IntentId, std::shared_ptr<TreatmentCounters>> counters_;  // of those
};

}  // namespace foreflow::offload
