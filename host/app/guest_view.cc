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

void GuestView::retain(const Roster& roster) {
  const std::lock_guard lock(mutex_);
  std::erase_if(guests_, [&](const auto& item) { return roster.vm(item.first) == nullptr; });
}

std::optional<model::GuestLive> GuestView::guest(VmId vm) const {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(vm);
  return found == guests_.end() ? std::nullopt : std::optional(found->second);
}

model::HypervisorLive GuestView::hypervisor(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = hypervisors_.find(host);
  return found == hypervisors_.end() ? model::HypervisorLive{} : found->second;
}

}  // namespace foreflow::app
