// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_view.h"

#include <utility>

namespace foreflow::app {

void GuestView::on_guest(const model::GuestLive& guest) {
  const std::lock_guard lock(mutex_);
  guests_[guest.sample.vm] = guest;
}

void GuestView::on_hypervisor(const std::string& host, model::HypervisorLive live) {
  const std::lock_guard lock(mutex_);
  hypervisors_[host] = std::move(live);
}

void GuestView::on_decisions(const std::string& host,
                             std::map<std::pair<VmId, model::GuestResource>, model::GuestDecision> decisions) {
  const std::lock_guard lock(mutex_);
  decisions_[host] = std::move(decisions);
}

void GuestView::retain(const Roster& roster) {
  const std::lock_guard lock(mutex_);
  std::erase_if(guests_, [&](const auto& item) { return roster.vm(item.first) == nullptr; });
}

std::optional<model::GuestLive> GuestView::guest(VmId vm) const {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(vm);
  if (found == guests_.end()) return std::nullopt;
  auto guest = found->second;
  for (const auto& [host, decisions] : decisions_) {
    if (const auto cpu = decisions.find({vm, model::GuestResource::kCpu}); cpu != decisions.end())
      guest.cpu = cpu->second;
    if (const auto memory = decisions.find({vm, model::GuestResource::kMemory}); memory != decisions.end())
      guest.memory = memory->second;
  }
  return guest;
}

model::HypervisorLive GuestView::hypervisor(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = hypervisors_.find(host);
  return found == hypervisors_.end() ? model::HypervisorLive{} : found->second;
}

}  // namespace foreflow::app
