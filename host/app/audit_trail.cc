// SPDX-License-Identifier: Apache-2.0
#include "host/app/audit_trail.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "host/audit/counterfactual.h"

namespace foreflow::app {
namespace {

audit::Entry entry_of(const std::string& dataplane, const Ran& ran, const Plan& plan, const Roster& roster,
                      model::Mode mode) {
  audit::Entry entry{.device = dataplane, .subject = audit::subject_of(ran.direction), .round = ran.round};
  for (const auto& member : ran.round.members) {
    const auto decision = plan.decisions.find({member.vm, ran.direction});
    const auto* vm = roster.vm(member.vm);
    audit::Note note;
    if (decision != plan.decisions.end() && decision->second.forecast)
      note.model = decision->second.forecast->quantiles.model;
    note.enforced = vm && std::min(mode, vm->policy.mode) == model::Mode::kEnforce && !roster.is_frozen(dataplane) &&
                    !plan.failures.contains(dataplane);
    entry.notes.push_back(std::move(note));
  }
  entry.digest = audit::digest_of(ran.solved.outcomes);
  return entry;
}

api::DirectionExplanation explanation_of(const audit::Entry& entry, const std::vector<allocate::Outcome>& outcomes,
                                         std::size_t at) {
  const auto& member = entry.round.members[at];
  const auto& outcome = outcomes[at];
  api::DirectionExplanation out{.subject = entry.subject,
                                .time = entry.round.now,
                                .model = entry.notes[at].model,
                                .demand = member.demand,
                                .peak = member.peak,
                                .before = member.previous ? member.previous->want : BytesPerSecond{},
                                .want = outcome.state.want,
                                .guarantee = outcome.guarantee,
                                .cap = member.cap,
                                .grant = outcome.share.grant,
                                .cir = outcome.share.cir,
                                .pir = outcome.limit(),
                                .installed = member.installed,
                                .limited = member.limited,
                                .known = member.known,
                                .enforced = entry.notes[at].enforced};
  if (const auto solved = allocate::solve(entry.round)) {
    std::vector<allocate::Share> shares;
    for (const auto& one : solved->outcomes) shares.push_back(one.share);
    out.binding = allocate::explain(solved->problem, shares, audit::text_of(entry.subject))[at];
  }
  for (const auto& other : audit::counterfactuals(entry.round, member.vm, audit::text_of(entry.subject)))
    out.counterfactuals.push_back({other.change, other.outcome.share.cir, other.outcome.limit()});
  return out;
}

}  // namespace

Result<std::unique_ptr<AuditTrail>> AuditTrail::open(const std::filesystem::path& folder,
                                                     const audit::LogConfig& config) {
  auto log = audit::Log::open(folder, config);
  if (!log) return tl::unexpected(log.error());
  return std::unique_ptr<AuditTrail>(new AuditTrail(folder, std::move(*log)));
}

void AuditTrail::note(std::vector<GuestRan> ran) {
  const std::lock_guard lock(mutex_);
  std::ranges::move(ran, std::back_inserter(noted_));
}

Status AuditTrail::keep(const Plan& plan, const Roster& roster, model::Mode mode) {
  audit::Record record{plan.made_at, plan.policy_version, {}};
  std::vector<std::vector<allocate::Outcome>> outcomes;
  for (const auto& [dataplane, rounds] : plan.ran)
    for (const auto& ran : rounds) {
      record.entries.push_back(entry_of(dataplane, ran, plan, roster, mode));
      outcomes.push_back(ran.solved.outcomes);
    }
  std::vector<GuestRan> noted;
  {
    const std::lock_guard lock(mutex_);
    noted.swap(noted_);
  }
  for (auto& [entry, outcome] : noted) {
    record.entries.push_back(std::move(entry));
    outcomes.push_back(std::move(outcome));
  }
  return log_.append(record, outcomes);
}

Result<api::Explanation> AuditTrail::explain(const model::Vm& vm, UnixNanos time) const {
  const auto found = audit::record_at(folder_, time);
  if (!found) return tl::unexpected(found.error());
  api::Explanation explanation{
      .vm = vm.name, .time = found->record.time, .policy_version = found->record.policy_version};
  for (std::size_t i = 0; i < found->record.entries.size(); ++i) {
    const auto& entry = found->record.entries[i];
    const auto member = std::ranges::find(entry.round.members, vm.id, &allocate::Member::vm);
    if (member == entry.round.members.end()) continue;
    if (!audit::is_of_guests(entry.subject)) explanation.dataplane = entry.device;
    explanation.directions.push_back(
        explanation_of(entry, found->outcomes[i], static_cast<std::size_t>(member - entry.round.members.begin())));
  }
  if (explanation.directions.empty())
    return fail(ErrorCode::kNotFound,
                fmt::format("'{}' took no part in the cycle of {}", vm.name, format_time(found->record.time)));
  return explanation;
}

Result<audit::Report> AuditTrail::check(bool replay, const audit::Range& range) const {
  return replay ? audit::replay(folder_, range) : audit::verify(folder_);
}

}  // namespace foreflow::app
