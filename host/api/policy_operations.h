// SPDX-License-Identifier: Apache-2.0
// What an operator can ask about the policy; implemented by host/app, served by ApiServer.
// Place: host/api. Plain values only.
#pragma once
#include <string>
#include <vector>

#include "common/result.h"
#include "host/model/fleet.h"
#include "host/policy/version.h"

namespace foreflow::api {

struct PolicyChange {
  model::Policy before;
  model::Policy after;
};

// Thread safety: all members from any thread.
class PolicyOperations {
 public:
  virtual ~PolicyOperations() = default;
  // The policy with another rule for one VM. kNotFound; kInvalidConfig says what would be possible.
  virtual Result<PolicyChange> set_policy(const std::string& vm, const model::PolicyPatch& patch,
                                          const std::string& author, bool dry_run) = 0;
  // kInvalidConfig: every reason against it, one per line.
  virtual Result<policy::Accepted> apply_policy(const policy::Proposal& proposal) = 0;
  virtual std::vector<policy::Version> policy_history() const = 0;  // oldest first
};

}  // namespace foreflow::api
