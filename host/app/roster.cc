// SPDX-License-Identifier: Apache-2.0
#include "host/app/roster.h"

#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "common/toml_reader.h"
#include "host/app/old_policies.h"
#include "host/app/state_codec.h"
#include "host/policy/fit.h"

namespace foreflow::app {
namespace {

// As the key of the state: sorted like the number.
std::string key_of(std::uint64_t number) { return fmt::format("{:010}", number); }

std::string name_of(const policy::Version& version) { return fmt::format("policy {}", version.number); }

std::string joined(const std::vector<std::string>& lines) { return fmt::format("{}", fmt::join(lines, "\n")); }

// The document with the patch in the rule for exactly this VM.
policy::Document with_rule(policy::Document document, const std::string& vm, const model::PolicyPatch& patch) {
  for (auto& rule : document.vms)
    if (rule.name == vm) {
      rule.patch = model::merged(std::move(rule.patch), patch);
      return document;
    }
  document.vms.push_back({vm, patch, {}});
  return document;
}

std::string comment_of(const std::string& vm, const model::PolicyPatch& patch) {
  auto text = "set " + vm;
  for (const auto& [key, value] : policy::said(patch)) text += fmt::format(", {} = {}", key, value);
  return text;
}

}  // namespace

Roster::Roster(policy::Effective effective, std::uint64_t policy_version)
    : effective_(std::move(effective)), policy_version_(policy_version) {
  const auto& vms = effective_.fleet.vms;
  for (std::size_t i = 0; i < vms.size(); ++i) {
    by_id_[vms[i].id] = i;
    by_name_[vms[i].name] = i;
  }
}

const model::Vm* Roster::vm(VmId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &effective_.fleet.vms[found->second];
}

const model::Vm* Roster::vm(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &effective_.fleet.vms[found->second];
}

Status Rosters::read_versions() {
  const auto kept = state_.all(store::StateKind::kPolicyVersion);
  if (!kept) return tl::unexpected(kept.error());
  versions_.clear();
  for (const auto& [key, text] : *kept) {
    auto version = decode_version(text);
    if (!version) return fail(version.error().code, fmt::format("policy version {}: {}", key, version.error().message));
    versions_.push_back(std::move(*version));
  }
  return {};
}

Status Rosters::adopt_old_policies() {
  const auto rows = state_.all(store::StateKind::kOldPolicy);
  if (!rows) return tl::unexpected(rows.error());
  if (rows->empty()) return {};
  if (versions_.empty()) {
    const auto document = from_old_policies(*rows);
    if (!document) return tl::unexpected(document.error());
    const auto comment = fmt::format("policies of {} VMs, kept by an earlier version of Foreflow", rows->size());
    if (auto kept = keep({1, clock_.now(), "foreflowd", comment, policy::write(*document)}); !kept) return kept;
    log::info("policies of an earlier version are policy version 1 now", {{"vms", rows->size()}});
  } else {
    log::warning("policies of an earlier version are left out, as a policy was applied since",
                 {{"vms", rows->size()}, {"policy", versions_.back().number}});
  }
  for (const auto& [vm, text] : *rows)
    if (auto erased = state_.erase(store::StateKind::kOldPolicy, vm); !erased) return erased;
  return {};
}

Status Rosters::load(const model::Fleet& configured) {
  std::lock_guard lock(changing_);
  auto fleet = configured;
  for (auto& vm : fleet.vms) {
    auto id = state_.vm_id(vm.name);
    if (!id) return tl::unexpected(id.error());
    vm.id = *id;
  }
  if (auto read = read_versions(); !read) return read;
  if (auto adopted = adopt_old_policies(); !adopted) return adopted;
  policy::Document document;
  if (!versions_.empty()) {
    auto newest = policy::read(versions_.back().text, name_of(versions_.back()));
    if (!newest) return tl::unexpected(newest.error());
    auto fitted = policy::fit(fleet, *newest, clock_.now());
    for (const auto& rule : fitted.left_out)
      log::warning("a rule of the policy no longer fits and is left out", {{"rule", rule}});
    document = std::move(fitted.document);
  }
  configured_ = std::move(fleet);
  document_ = std::move(document);
  publish(clock_.now());
  return {};
}

void Rosters::publish(UnixNanos now) {
  auto roster = std::make_shared<const Roster>(policy::effective(configured_, document_, now),
                                               versions_.empty() ? 0 : versions_.back().number);
  std::lock_guard publishing(publishing_);
  current_ = std::move(roster);
}

std::shared_ptr<const Roster> Rosters::current() const {
  std::lock_guard lock(publishing_);
  return current_;
}

void Rosters::refresh() {
  std::lock_guard lock(changing_);
  const auto before = current();
  const auto now = clock_.now();
  if (!before->effective().until || now < *before->effective().until) return;
  publish(now);
  log::info("the calendar changed the policy",
            {{"before", fmt::format("{}", fmt::join(before->effective().running, ", "))},
             {"now", fmt::format("{}", fmt::join(current()->effective().running, ", "))}});
}

Result<policy::Accepted> Rosters::apply(const policy::Proposal& proposal) {
  std::lock_guard lock(changing_);
  return accept(proposal);
}

Result<policy::Document> Rosters::checked(const policy::Proposal& proposal) const {
  std::lock_guard lock(changing_);
  return read_and_check(proposal, clock_.now());
}

policy::Effective Rosters::under(const policy::Document& document, UnixNanos now) const {
  std::lock_guard lock(changing_);
  return policy::effective(configured_, document, now);
}

Result<policy::Document> Rosters::read_and_check(const policy::Proposal& proposal, UnixNanos now) const {
  auto document = policy::read(proposal.text, proposal.name);
  if (!document) return document;
  if (const auto reasons = policy::check(configured_, *document, now); !reasons.empty())
    return fail(ErrorCode::kInvalidConfig, joined(reasons));
  return document;
}

Result<policy::Accepted> Rosters::accept(const policy::Proposal& proposal) {
  const auto now = clock_.now();
  auto document = read_and_check(proposal, now);
  if (!document) return tl::unexpected(document.error());
  policy::Accepted accepted{0, policy::difference(configured_, document_, *document, now)};
  if (proposal.dry_run) return accepted;
  const auto number = versions_.empty() ? 1 : versions_.back().number + 1;
  if (auto kept = keep({number, now, proposal.author, proposal.comment, proposal.text}); !kept)
    return tl::unexpected(kept.error());
  document_ = std::move(*document);
  publish(now);
  accepted.version = number;
  return accepted;
}

Status Rosters::keep(policy::Version version) {
  const auto key = key_of(version.number);
  if (auto kept = state_.put(store::StateKind::kPolicyVersion, key, encode_version(version)); !kept) return kept;
  versions_.push_back(std::move(version));
  while (versions_.size() > kMostVersions) {
    if (auto erased = state_.erase(store::StateKind::kPolicyVersion, key_of(versions_.front().number)); !erased)
      return erased;
    versions_.erase(versions_.begin());
  }
  return {};
}

Result<PolicyChange> Rosters::set_policy(const std::string& name, const model::PolicyPatch& patch,
                                         const std::string& author, bool dry_run) {
  std::lock_guard lock(changing_);
  const auto before = current();
  const auto* vm = before->vm(name);
  if (!vm) return fail(ErrorCode::kNotFound, no_such_vm(before->fleet(), name));
  const auto text = policy::write(with_rule(document_, name, patch));
  const auto accepted = accept({text, "policy with this change", author, comment_of(name, patch), dry_run});
  if (!accepted) return tl::unexpected(accepted.error());
  PolicyChange change{vm->policy, current()->vm(name)->policy};
  if (dry_run) {
    const auto document = policy::read(text, "policy with this change");
    change.after = Roster(policy::effective(configured_, *document, clock_.now())).vm(name)->policy;
  }
  return change;
}

std::vector<policy::Version> Rosters::history() const {
  std::lock_guard lock(changing_);
  return versions_;
}

std::string no_such_vm(const model::Fleet& fleet, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& vm : fleet.vms) names.push_back(vm.name);
  const auto near = nearest(name, names);
  return fmt::format("there is no VM '{}'{}", name, near ? fmt::format("; did you mean '{}'?", *near) : "");
}

}  // namespace foreflow::app
