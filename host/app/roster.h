// SPDX-License-Identifier: Apache-2.0
// The fleet as it is managed: the configuration with ids and with the policy in force laid over it.
// Place: host/app. A Roster is immutable; Rosters publishes the present one.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "host/model/fleet.h"
#include "host/policy/effective.h"
#include "host/policy/version.h"
#include "host/store/state_store.h"

namespace foreflow::app {

class Roster {
 public:
  explicit Roster(policy::Effective effective, std::uint64_t policy_version = 0);

  const model::Fleet& fleet() const { return effective_.fleet; }
  const model::Vm* vm(VmId id) const;
  const model::Vm* vm(const std::string& name) const;
  bool is_patched(const std::string& name) const { return effective_.patched.contains(name); }
  bool is_frozen(const std::string& dataplane) const { return effective_.frozen.contains(dataplane); }
  const policy::Effective& effective() const { return effective_; }
  std::uint64_t policy_version() const { return policy_version_; }  // 0: none was ever applied

 private:
  policy::Effective effective_;
  std::uint64_t policy_version_;
  std::unordered_map<VmId, std::size_t> by_id_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

// "there is no VM 'wbe'; did you mean 'web'?"
std::string no_such_vm(const model::Fleet& fleet, const std::string& name);

struct PolicyChange {
  model::Policy before;
  model::Policy after;
};

// Thread safety: all members from any thread; a published Roster never changes.
class Rosters {
 public:
  static constexpr std::size_t kMostVersions = 100;  // kept; older ones are forgotten

  Rosters(store::StateStore& state, const Clock& clock) : state_(state), clock_(clock) {}

  // A new configuration: gives ids to new names and lays the newest policy over it. What of it no longer fits is left
  // out with a warning. Policies kept by a Foreflow that knew no versions become version 1, or are left out with a
  // warning where there is a version already; kMalformed: one of them cannot be read.
  Status load(const model::Fleet& configured);
  std::shared_ptr<const Roster> current() const;
  // Publishes another Roster when an event or a maintenance window has begun or ended since.
  void refresh();

  // The next version of the policy, all of it or nothing. kInvalidConfig: every reason against it, with file and line.
  Result<policy::Accepted> apply(const policy::Proposal& proposal);
  // The document of a proposal that could be applied, or the reasons why not.
  Result<policy::Document> checked(const policy::Proposal& proposal) const;
  // What another policy would come to.
  policy::Effective under(const policy::Document& document, UnixNanos now) const;
  // A rule for one VM into the policy in force: the next version. kNotFound: no such VM; kInvalidConfig as apply().
  Result<PolicyChange> set_policy(const std::string& vm, const model::PolicyPatch& patch, const std::string& author,
                                  bool dry_run);
  std::vector<policy::Version> history() const;  // oldest first

 private:
  Status read_versions();
  Status adopt_old_policies();
  Result<policy::Document> read_and_check(const policy::Proposal& proposal, UnixNanos now) const;
  Result<policy::Accepted> accept(const policy::Proposal& proposal);
  Status keep(policy::Version version);
  void publish(UnixNanos now);

  store::StateStore& state_;
  const Clock& clock_;
  mutable std::mutex changing_;  // held by whoever changes something, from start to end; guards what follows
  model::Fleet configured_;      // with ids
  std::vector<policy::Version> versions_;
  policy::Document document_;      // of the newest version, as far as it fits
  mutable std::mutex publishing_;  // held for a copy of the pointer
  std::shared_ptr<const Roster> current_ = std::make_shared<const Roster>(policy::Effective{});
};

}  // namespace foreflow::app
