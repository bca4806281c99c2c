// SPDX-License-Identifier: Apache-2.0
// Keeps what hypervisors said last.
// Place: host/app; written by the readers of hypervisors, read by the cycle and the API.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/app/roster.h"
#include "host/model/guest.h"

namespace foreflow::app {

// Thread safety: all members from any thread.
class GuestView {
 public:
  void on_guest(const model::GuestLive& guest);
  void on_hypervisor(const std::string& host, model::HypervisorLive live);
  // What was decided for the VMs of a host; replaces what was there.
  void on_decisions(const std::string& host,
                    std::map<std::pair<VmId, model::GuestResource>, model::GuestDecision> decisions);
  // Forgets VMs that the roster does not have.
  void retain(const Roster& roster);

  std::optional<model::GuestLive> guest(VmId vm) const;
  // An empty record when it was never read.
  model::HypervisorLive hypervisor(const std::string& host) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<VmId, model::GuestLive> guests_;
  std::map<std::string, model::HypervisorLive> hypervisors_;
  std::map<std::string, std::map<std::pair<VmId, model::GuestResource>, model::GuestDecision>> decisions_;
};

}  // namespace foreflow::app
