// SPDX-License-Identifier: Apache-2.0
// What operators ask of the manager: everything is read from the parts that hold it.
#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"
#include "common/toml_reader.h"
#include "common/version.h"
#include "host/app/manager.h"

namespace foreflow::app {
namespace {

constexpr std::size_t kShownIntervals = 24;

std::optional<api::Allocation> allocation(const Plan& plan, VmId vm, Direction direction) {
  const auto found = plan.decisions.find({vm, direction});
  if (found == plan.decisions.end()) return std::nullopt;
  const auto& decision = found->second;
  return api::Allocation{decision.want,      decision.share.grant, decision.share.cir,
                         decision.share.pir, decision.why,         plan.made_at};
}

UnixNanos after(UnixNanos start, std::uint64_t steps, std::uint64_t step_ns) {
  return {start.value + static_cast<std::int64_t>(steps * step_ns)};
}

api::ForecastView view_of(const forecast::Forecast& forecast, const std::vector<forecast::Observation>& history) {
  api::ForecastView view{.model = forecast.quantiles.model,
                         .reason = forecast.reason,
                         .made_at = forecast.made_at,
                         .step_ns = forecast.step_ns,
                         .last = forecast.last,
                         .limited = forecast.limited};
  for (const auto& observed : history)
    view.history.push_back({after(observed.start, 1, forecast.step_ns), observed.rate});
  view.quantiles.assign(predictor::kQuantiles.begin(), predictor::kQuantiles.end());
  const auto& values = forecast.quantiles.values;
  for (Eigen::Index row = 0; row < values.rows(); ++row) {
    api::Lead lead{after(forecast.made_at, static_cast<std::uint64_t>(row) + 1, forecast.step_ns), {}};
    for (Eigen::Index column = 0; column < values.cols(); ++column)
      lead.rates.push_back({static_cast<std::uint64_t>(std::clamp(values(row, column), 0.0, 9e18))});
    view.leads.push_back(std::move(lead));
  }
  return view;
}

}  // namespace

api::ManagerStatus Manager::status() const {
  const auto health = store_->health();
  const auto counts = live_.counts();
  return {.version = std::string(kVersion),
          .mode = std::string(model::to_string(config_.mode)),
          .time = clock_.now(),
          .started = started_,
          .store = health.description,
          .pending_points = health.pending_points,
          .rejected_points = health.rejected_points,
          .store_error = health.last_error,
          .reports = counts.accepted,
          .duplicate_reports = counts.duplicate,
          .rejected_reports = counts.rejected,
          .cycles = cycle_->count(),
          .failed_allocations = cycle_->plan()->failures};
}

api::VmStatus Manager::status_of(const Roster& roster, const model::Vm& vm, const Plan& plan) const {
  api::VmStatus status{.vm = vm, .policy_changed = roster.is_patched(vm.name), .live = live_.vm(vm.id)};
  status.guest = guests_.guest(vm.id);
  if (std::min(config_.mode, vm.policy.mode) != model::Mode::kObserve)
    for (const auto direction : kBothDirections)
      status.allocation[index(direction)] = allocation(plan, vm.id, direction);
  return status;
}

Result<std::vector<api::VmStatus>> Manager::vms(const std::string& name) const {
  const auto roster = rosters_->current();
  const auto plan = cycle_->plan();
  std::vector<api::VmStatus> all;
  for (const auto& vm : roster->fleet().vms)
    if (name.empty() || vm.name == name) all.push_back(status_of(*roster, vm, *plan));
  if (all.empty() && !name.empty()) return fail(ErrorCode::kNotFound, no_such_vm(roster->fleet(), name));
  return all;
}

Result<std::vector<api::DataplaneStatus>> Manager::dataplanes(const std::string& name) const {
  const auto roster = rosters_->current();
  std::vector<api::DataplaneStatus> all;
  std::vector<std::string> names;
  for (const auto& dataplane : roster->fleet().dataplanes) {
    names.push_back(dataplane.name);
    if (!name.empty() && dataplane.name != name) continue;
    api::DataplaneStatus status{.dataplane = dataplane, .live = live_.dataplane(dataplane.name)};
    if (const auto told = actuator_->read_back(dataplane.name)) status.desired = told->desired;
    for (const auto& vm : roster->fleet().vms)
      if (vm.dataplane == dataplane.name) status.vms.push_back(vm.name);
    all.push_back(std::move(status));
  }
  if (all.empty() && !name.empty()) {
    const auto near = nearest(name, names);
    return fail(ErrorCode::kNotFound, fmt::format("there is no dataplane '{}'{}", name,
                                                  near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  return all;
}

Result<std::vector<api::HypervisorStatus>> Manager::hypervisors(const std::string& host) const {
  std::vector<api::HypervisorStatus> all;
  std::vector<std::string> hosts;
  const auto roster = rosters_->current();
  for (const auto& hypervisor : roster->fleet().hypervisors) {
    hosts.push_back(hypervisor.host);
    if (host.empty() || hypervisor.host == host) all.push_back({hypervisor, guests_.hypervisor(hypervisor.host)});
  }
  if (!all.empty() || host.empty()) return all;
  const auto near = nearest(host, hosts);
  return fail(ErrorCode::kNotFound, fmt::format("there is no hypervisor of host '{}'{}", host,
                                                near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

Result<api::ForecastView> Manager::forecast(const std::string& name, Direction direction) const {
  const auto roster = rosters_->current();
  const auto* vm = roster->vm(name);
  if (!vm) return fail(ErrorCode::kNotFound, no_such_vm(roster->fleet(), name));
  const auto live = live_.vm(vm->id);
  const auto forecast = forecasts_->predict(vm->id, direction, live ? live->time : clock_.now());
  if (!forecast)
    return fail(ErrorCode::kNotFound,
                fmt::format("no traffic of '{}' has been reported yet, so there is no forecast", name));
  const auto from = forecast->made_at.value - static_cast<std::int64_t>(kShownIntervals * forecast->step_ns);
  return view_of(*forecast, forecasts_->history(vm->id, direction, UnixNanos{from}));
}

Result<std::vector<api::Rule>> Manager::rules(const std::string& name) const {
  const auto roster = rosters_->current();
  if (!name.empty() && !roster->vm(name)) return fail(ErrorCode::kNotFound, no_such_vm(roster->fleet(), name));
  std::vector<api::Rule> all;
  for (const auto& dataplane : roster->fleet().dataplanes) {
    auto told = actuator_->read_back(dataplane.name);
    if (!told) continue;
    for (auto& [asked, result, stats] : told->enforcements) {
      const auto* vm = roster->vm(wire::vm_of(asked));
      if (vm && (name.empty() || vm->name == name)) all.push_back({dataplane.name, vm->name, asked, result, stats});
    }
  }
  return all;
}

Result<std::vector<api::Flow>> Manager::flows(const std::string& name) const {
  const auto roster = rosters_->current();
  if (!name.empty() && !roster->vm(name)) return fail(ErrorCode::kNotFound, no_such_vm(roster->fleet(), name));
  std::vector<api::Flow> all;
  for (const auto& dataplane : roster->fleet().dataplanes)
    for (auto& flow : live_.dataplane(dataplane.name).flows) {
      const auto* vm = roster->vm(flow.vm);
      if (vm && vm->dataplane == dataplane.name && (name.empty() || vm->name == name))
        all.push_back({vm->name, std::move(flow)});
    }
  const auto size = [](const api::Flow& flow) { return flow.sample.bytes[0] + flow.sample.bytes[1]; };
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return size(a) > size(b); });
  return all;
}

Result<std::vector<std::string>> Manager::reload_signatures(const std::string& name) {
  const auto known = dataplanes(name);
  if (!known) return tl::unexpected(known.error());
  std::vector<std::string> asked;
  for (const auto& status : *known) {
    const auto& dataplane = status.dataplane.name;
    const auto told = actuator_->reload_signatures(dataplane);
    if (told) asked.push_back(dataplane);
    // Of all dataplanes, one that was never here misses nothing.
    if (!told && (!name.empty() || told.error().code != ErrorCode::kNotFound)) return tl::unexpected(told.error());
  }
  log::info("signatures are asked to be read again", {{"dataplanes", asked.size()}});
  return asked;
}

Result<api::PolicyChange> Manager::set_policy(const std::string& vm, const model::PolicyPatch& patch,
                                              const std::string& author, bool dry_run) {
  auto change = rosters_->set_policy(vm, patch, author, dry_run);
  if (!change) return tl::unexpected(change.error());
  if (!dry_run) {
    log::info("policy changed", {{"vm", vm}, {"by", author}});
    cycle_->wake();
  }
  return api::PolicyChange{std::move(change->before), std::move(change->after)};
}

Result<policy::Accepted> Manager::apply_policy(const policy::Proposal& proposal) {
  auto accepted = rosters_->apply(proposal);
  if (accepted && !proposal.dry_run) {
    log::info("policy applied",
              {{"version", accepted->version}, {"by", proposal.author}, {"changes", accepted->changes.size()}});
    cycle_->wake();
  }
  return accepted;
}

Result<api::Explanation> Manager::explain(const std::string& name, UnixNanos time) const {
  const auto roster = rosters_->current();
  const auto* vm = roster->vm(name);
  if (!vm) return fail(ErrorCode::kNotFound, no_such_vm(roster->fleet(), name));
  return audit_->explain(*vm, time.value == 0 ? clock_.now() : time);
}

foreflow::Status Manager::start_shadow(const policy::Proposal& proposal) {
  auto document = rosters_->checked(proposal);
  if (!document) return tl::unexpected(document.error());
  cycle_->shadow().start(std::move(*document), proposal.name, clock_.now());
  log::info("shadow policy started", {{"policy", proposal.name}, {"by", proposal.author}});
  cycle_->wake();
  return {};
}

}  // namespace foreflow::app
