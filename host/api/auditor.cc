// SPDX-License-Identifier: Apache-2.0
#include "host/api/auditor.h"

#include <fmt/format.h>

namespace foreflow::api {
namespace {

namespace pb = foreflow::operations;

void put(pb::DirectionExplanation& to, const DirectionExplanation& from) {
  to.set_direction(std::string(to_string(from.subject)));
  to.set_time(from.time.value);
  to.set_model(from.model);
  to.set_demand(from.demand.value);
  to.set_peak(from.peak.value);
  to.set_before(from.before.value);
  to.set_want(from.want.value);
  to.set_guarantee(from.guarantee.value);
  to.set_cap(from.cap.value);
  to.set_grant(from.grant.value);
  to.set_cir(from.cir.value);
  to.set_pir(from.pir.value);
  to.set_installed(from.installed.value);
  to.set_limited(from.limited);
  to.set_known(from.known);
  to.set_enforced(from.enforced);
  to.set_binding(from.binding);
  for (const auto& otherwise : from.counterfactuals) {
    auto& item = *to.add_counterfactuals();
    item.set_change(otherwise.change);
    item.set_cir(otherwise.cir.value);
    item.set_pir(otherwise.pir.value);
  }
}

void put(pb::ShadowReport& to, const ShadowReport& from) {
  to.set_running(!from.name.empty());
  to.set_name(from.name);
  to.set_since(from.since.value);
  to.set_cycles(from.cycles);
  to.set_offered(from.offered);
  to.set_active_unserved(from.active_unserved);
  to.set_shadow_unserved(from.shadow_unserved);
  to.set_failures(from.failures);
  for (const auto& limit : from.limits) {
    auto& item = *to.add_limits();
    item.set_vm(limit.vm);
    item.set_direction(std::string(to_string(limit.direction)));
    item.set_active_cir(limit.active_cir.value);
    item.set_shadow_cir(limit.shadow_cir.value);
    item.set_active_pir(limit.active_pir.value);
    item.set_shadow_pir(limit.shadow_pir.value);
  }
}

}  // namespace

grpc::Status Auditor::Explain(grpc::ServerContext* context, const pb::ExplainRequest* from, pb::Explanation* to) {
  return gate_.serve(*context, from->vm(), [&]() -> Status {
    return audit_.explain(from->vm(), UnixNanos{from->time()}).map([&](const auto& explanation) {
      to->set_vm(explanation.vm);
      to->set_dataplane(explanation.dataplane);
      to->set_time(explanation.time.value);
      to->set_policy_version(explanation.policy_version);
      for (const auto& direction : explanation.directions) put(*to->add_directions(), direction);
    });
  });
}

grpc::Status Auditor::Audit(grpc::ServerContext* context, const pb::AuditRequest* from, pb::AuditReport* to) {
  return gate_.serve(*context, "", [&]() -> Status {
    audit::Range range{.from = {from->from()}};
    if (from->to() != 0) range.to = {from->to()};
    return audit_.check_audit(from->replay(), range).map([&](const auto& report) {
      to->set_segments(report.segments);
      to->set_records(report.records);
      to->set_decisions(report.decisions);
      to->set_differing(report.differing);
      to->set_bytes(report.bytes);
      if (report.first) to->set_first(report.first->value);
      if (report.last) to->set_last(report.last->value);
      to->set_anchor(to_hex(report.anchor));
      to->set_head(to_hex(report.head));
      to->set_fault(report.fault);
    });
  });
}

grpc::Status Auditor::Shadow(grpc::ServerContext* context, const pb::ShadowRequest* from, pb::ShadowReport* to) {
  return gate_.serve(*context, "", [&]() -> Status {
    policy::Proposal proposal{from->text(), from->name(), caller(*context), "", true};
    if (from->version() != 0) {
      auto version = policy::find(policy_.policy_history(), from->version());
      if (!version) return tl::unexpected(version.error());
      proposal.text = std::move(version->text);
      proposal.name = fmt::format("policy version {}", version->number);
    }
    if (from->stop()) audit_.stop_shadow();
    if (!proposal.name.empty())
      if (auto started = audit_.start_shadow(proposal); !started) return started;
    put(*to, audit_.shadow());
    return {};
  });
}

}  // namespace foreflow::api
