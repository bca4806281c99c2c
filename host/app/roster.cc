// SPDX-License-Identifier: Apache-2.0
#include "host/app/roster.h"

#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "common/toml_reader.h"
#include "host/app/state_codec.h"

namespace foreflow::app {
namespace {

model::Fleet with_patches(model::Fleet fleet, const std::map<std::string, model::PolicyPatch>& patches) {
  for (auto& vm : fleet.vms)
    if (const auto patch = patches.find(vm.name); patch != patches.end())
      vm.policy = model::patched(vm.policy, patch->second);
  return fleet;
}

std::string reasons(const std::vector<model::Objection>& objections) {
  std::string text;
  for (const auto& objection : objections) text += (text.empty() ? "" : "; ") + objection.reason;
  return text;
}

}  // namespace

Roster::Roster(model::Fleet fleet, std::map<std::string, model::PolicyPatch> patches)
    : fleet_(std::move(fleet)), patches_(std::move(patches)) {
  for (std::size_t i = 0; i < fleet_.vms.size(); ++i) {
    by_id_[fleet_.vms[i].id] = i;
    by_name_[fleet_.vms[i].name] = i;
  }
}

const model::Vm* Roster::vm(VmId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &fleet_.vms[found->second];
}

const model::Vm* Roster::vm(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &fleet_.vms[found->second];
}

Status Rosters::load(const model::Fleet& configured) {
  std::lock_guard lock(changing_);
  auto fleet = configured;
  for (auto& vm : fleet.vms) {
    auto id = state_.vm_id(vm.name);
    if (!id) return tl::unexpected(id.error());
    vm.id = *id;
  }
  auto kept = state_.all(store::StateKind::kPolicy);
  if (!kept) return tl::unexpected(kept.error());
  std::map<std::string, model::PolicyPatch> patches;
  for (const auto& [name, text] : *kept) {
    auto patch = decode_patch(text);
    if (!patch) return fail(patch.error().code, fmt::format("policy kept for '{}': {}", name, patch.error().message));
    auto more = patches;
    more[name] = *patch;
    if (const auto objections = model::objections(with_patches(fleet, more)); objections.empty())
      patches = std::move(more);
    else
      log::warning("policy set at run time no longer fits and is left out",
                   {{"vm", name}, {"reason", reasons(objections)}});
  }
  auto roster = std::make_shared<const Roster>(with_patches(fleet, patches), patches);
  configured_ = std::move(fleet);
  patches_ = std::move(patches);
  std::lock_guard publish(publishing_);
  current_ = std::move(roster);
  return {};
}

std::shared_ptr<const Roster> Rosters::current() const {
  std::lock_guard lock(publishing_);
  return current_;
}

Result<PolicyChange> Rosters::set_policy(const std::string& name, const model::PolicyPatch& patch, bool dry_run) {
  std::lock_guard lock(changing_);
  const auto before = current();
  const auto* vm = before->vm(name);
  if (!vm) return fail(ErrorCode::kNotFound, no_such_vm(before->fleet(), name));
  auto patches = patches_;
  patches[name] = model::merged(patches[name], patch);
  auto fleet = with_patches(configured_, patches);
  if (const auto objections = model::objections(fleet); !objections.empty())
    return fail(ErrorCode::kInvalidArgument, reasons(objections));
  auto after = std::make_shared<const Roster>(std::move(fleet), patches);
  PolicyChange change{vm->policy, after->vm(name)->policy};
  if (dry_run) return change;
  if (auto kept = state_.put(store::StateKind::kPolicy, name, encode_patch(patches[name])); !kept)
    return tl::unexpected(kept.error());
  patches_ = std::move(patches);
  std::lock_guard publish(publishing_);
  current_ = std::move(after);
  return change;
}

std::string no_such_vm(const model::Fleet& fleet, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& vm : fleet.vms) names.push_back(vm.name);
  const auto near = nearest(name, names);
  return fmt::format("there is no VM '{}'{}", name, near ? fmt::format("; did you mean '{}'?", *near) : "");
}

}  // namespace foreflow::app
