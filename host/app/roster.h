// SPDX-License-Identifier: Apache-2.0
// The fleet as it is managed: the configuration with ids and with the policies set at run time laid over it.
// Place: host/app. A Roster is immutable; Rosters publishes the present one.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/result.h"
#include "host/model/fleet.h"
#include "host/store/state_store.h"

namespace foreflow::app {

class Roster {
 public:
  Roster(model::Fleet fleet, std::map<std::string, model::PolicyPatch> patches);

  const model::Fleet& fleet() const { return fleet_; }
  const model::Vm* vm(VmId id) const;
  const model::Vm* vm(const std::string& name) const;
  bool is_patched(const std::string& name) const { return patches_.contains(name); }

 private:
  model::Fleet fleet_;
  std::map<std::string, model::PolicyPatch> patches_;
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
  explicit Rosters(store::StateStore& state) : state_(state) {}

  // A new configuration: gives ids to new names and lays the kept policies over it. A kept policy that no longer fits
  // is left out with a warning.
  Status load(const model::Fleet& configured);
  std::shared_ptr<const Roster> current() const;

  // kNotFound: no such VM; kInvalidArgument: the fleet would be impossible, with every reason. A dry run changes
  // nothing.
  Result<PolicyChange> set_policy(const std::string& vm, const model::PolicyPatch& patch, bool dry_run);

 private:
  store::StateStore& state_;
  std::mutex changing_;                                // held by load() and set_policy() from start to end
  model::Fleet configured_;                            // with ids; guarded by changing_
  std::map<std::string, model::PolicyPatch> patches_;  // guarded by changing_
  mutable std::mutex publishing_;                      // held for a copy of the pointer
  std::shared_ptr<const Roster> current_ =
      std::make_shared<const Roster>(model::Fleet{}, std::map<std::string, model::PolicyPatch>{});
};

}  // namespace foreflow::app
