// SPDX-License-Identifier: Apache-2.0
// The Enforcer's decision which VMs' flows the device may carry.
#include <algorithm>

#include <fmt/format.h>

#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/intent_rules.h"

namespace foreflow::offload {
namespace {

// False: there is one for these flows.
bool add(Enforcer::Bypasses& all, const wire::Bypass& bypass) {
  auto& of_vm = all[bypass.vm];
  if (std::ranges::find(of_vm, bypass.category, &wire::Bypass::category) != of_vm.end()) return false;
  of_vm.push_back(bypass);
  return true;
}

}  // namespace

// After everything else has its place. Without the device flows stay in the pipeline, which is what they would do
// anyway.
void Enforcer::settle_bypasses(const IntentSet& desired, std::vector<wire::IntentResult>& results) {
  bypasses_.clear();
  auto result = results.begin();
  for (const auto& [id, intent] : desired) {
    auto& answer = *result++;
    const auto* bypass = std::get_if<wire::Bypass>(&intent.intent.what);
    if (bypass == nullptr) continue;
    const bool wanted = intent.intent.demand != wire::Demand::kSoftware;
    answer.reason = wanted ? why_no_bypass(intent) : "";
    const bool hardware = wanted && answer.reason.empty() && add(bypasses_, *bypass);
    if (hardware)
      answer.placement = wire::Placement::kHardware;
    else if (intent.intent.demand != wire::Demand::kRequireHardware)
      answer.placement = wire::Placement::kSoftware;
    if (wanted && !hardware && answer.reason.empty())
      answer.reason = fmt::format("another intent lets these flows of VM {} pass already", bypass->vm.value);
  }
}

std::set<VmId> Enforcer::marked() const {
  std::set<VmId> vms;
  for (const auto& [id, intent] : on_device_)
    if (steers(intent)) vms.insert(wire::vm_of(intent.intent));
  return vms;
}

std::string Enforcer::why_no_bypass(const ResolvedIntent& intent) const {
  const auto vm = wire::vm_of(intent.intent);
  const auto is_of_vm = [vm](const auto& in_software) { return in_software.vm == vm; };
  if (!device_usable_)
    return device_ ? "no port of this dataplane has hardware meters" : "no offload device is configured";
  if (device_->flows() == nullptr) return "the device carries no flows";
  if (intent.attachments.empty()) return fmt::format("VM {} has no port of this dataplane", vm.value);
  if (intent.in_group) return "the device cannot meter against the tenant's cap";
  if (intent.queued) return "what the VM sends waits in the uplink's queues, and what passes the CPU by cannot";
  if (intent.allow_foreign_mac) return "the VM may send from any MAC address, rules tell VMs apart by it";
  if (std::any_of(software_limits_.begin(), software_limits_.end(), is_of_vm))
    return "a limit of the VM is metered in the pipeline, which would not see the flow";
  if (std::any_of(software_treatments_.begin(), software_treatments_.end(),
                  [&](const auto& treatment) { return is_of_vm(treatment.what) && !treatment.what.match.category; }))
    return "a rule of the VM is carried out in the pipeline, which would not see the flow";
  if (marked().contains(vm)) return "a rule of the VM steers packets, and what passes the CPU by cannot be steered";
  for (const auto& attachment : intent.attachments) {
    if (attachment.segment.value != 0) return "the VM is in a tagged network; flows pass the device untagged only";
    if (const auto able = device_->flows()->able(attachment.port_id); !able) return able.error().message;
  }
  return {};
}

}  // namespace foreflow::offload
