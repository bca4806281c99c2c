// SPDX-License-Identifier: Apache-2.0
// Enforces CPU and memory on the domains of hosts through their hypervisors, and reads back what they have.
// Place: host/fabric; one per host, used by the thread that reads it.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "host/fabric/guest_target.h"

namespace foreflow::fabric {

// Opens its connection at the first change, and again after it has broken. What a domain has already is not set again.
// Thread safety: none; calls wait for the hypervisor, for at most some seconds each.
class HypervisorActuator final : public GuestActuator {
 public:
  using Open = std::function<Result<std::unique_ptr<guest::Control>>()>;
  HypervisorActuator(std::string host, Open open) : host_(std::move(host)), open_(std::move(open)) {}

  // kInvalidArgument: a limit that no domain could have, or another host's.
  Status verify(const GuestTarget& target) const override;
  // Each domain by itself: one that refuses keeps what it has, and read_back() says why. Errors: those of verify(),
  // kUnavailable when the hypervisor cannot be asked.
  Status apply(const GuestTarget& target) override;
  Result<GuestReadBack> read_back(const std::string& device) const override;
  Status revert(const std::string& device) override;

 private:
  Status connect();
  void set(const guest::Limits& now, GuestEnforcement& made);

  std::string host_;
  Open open_;
  std::unique_ptr<guest::Control> control_;
  GuestTarget target_;
  std::optional<GuestTarget> previous_;
  std::optional<GuestReadBack> read_back_;
};

}  // namespace foreflow::fabric
