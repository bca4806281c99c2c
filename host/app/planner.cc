// SPDX-License-Identifier: Apache-2.0
#include "host/app/planner.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace foreflow::app {
namespace {

static_assert(model::kPlanningQuantiles == predictor::kQuantiles);

constexpr double kPeakQuantile = .999;

std::string basis(const Decision& decision, const model::Tier& tier) {
  if (!decision.forecast) return fmt::format("wants {} (no traffic seen yet)", format_rate(decision.want));
  return fmt::format("wants {} (q{} by {}{}{})", format_rate(decision.want), tier.quantile,
                     decision.forecast->quantiles.model, decision.forecast->limited ? ", limited now" : "",
                     decision.distrust.empty() ? "" : ", held: " + decision.distrust);
}

// Why this forecast must not narrow anything; empty: it may.
std::string distrust(const forecast::Forecast& forecast, BytesPerSecond demand, BytesPerSecond capacity, bool stale) {
  if (stale) return "the dataplane's reports have stopped";
  switch (allocate::doubt(demand, forecast.last, capacity)) {
    case allocate::Doubt::kTooLow:
      return fmt::format("the forecast of {} is less than half of the {} seen last", format_rate(demand),
                         format_rate(forecast.last));
    case allocate::Doubt::kTooHigh:
      return fmt::format("the forecast of {} is far beyond the uplink", format_rate(demand));
    case allocate::Doubt::kNone:
      break;
  }
  return "";
}

std::uint32_t weight_of(const model::Tier& tier, std::uint32_t weight) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{tier.weight} * weight, model::kLargestWeight));
}

allocate::Round empty_round(const Planner::Request& request, Direction direction) {
  allocate::Round round{.now = request.now,
                        .capacity = request.dataplane.capacity(direction),
                        .link = fmt::format("{} {}", request.dataplane.name, to_string(direction)),
                        .lending = request.lending};
  for (const auto& group : request.fleet.groups)
    round.pools.push_back({group.name, group.guarantee[index(direction)], group.cap[index(direction)]});
  return round;
}

}  // namespace

Planner::Planner(const model::AllocationSettings& settings) : settings_(settings) {}

Result<Planned> Planner::plan(const Request& request) {
  Planned planned;
  for (const auto direction : kBothDirections) {
    look_back(request, direction, planned);
    auto ran = plan_direction(request, direction, planned);
    if (!ran) return tl::unexpected(ran.error());
    planned.ran.push_back(std::move(*ran));
  }
  return planned;
}

// An interval that is over is held against what was forecast for it before it had shown anything.
const allocate::TrackRecord& Planner::judge(VmId vm, Direction direction, const forecast::Forecast& forecast,
                                            BytesPerSecond demand, double quantile) {
  Kept& kept = records_[{vm, direction}];
  if (kept.interval == forecast.made_at) return kept.record;
  // After a pause the last interval is not the one that was forecast.
  if (kept.interval.value + static_cast<std::int64_t>(forecast.step_ns) == forecast.made_at.value)
    kept.record.observe(kept.forecast, forecast.last, quantile);
  kept.interval = forecast.made_at;
  kept.forecast = demand;
  return kept.record;
}

allocate::Member Planner::member_of(const Request& request, const model::Vm& vm, Decision& decision) {
  const auto d = index(decision.direction);
  const auto& tier = *request.fleet.tier(vm.policy.tier);
  allocate::Member member{.vm = vm.id,
                          .tier = tier.priority,
                          .weight = weight_of(tier, vm.policy.weight[d]),
                          .guarantee = vm.policy.guarantee[d],
                          .cap = vm.policy.cap[d],
                          .least = std::max(settings_.floor, vm.policy.least[d]),
                          .most = vm.policy.most[d],
                          .hold_ns = tier.hold_ns.value_or(settings_.hold_ns),
                          .known = decision.forecast.has_value()};
  for (std::size_t i = 0; i < request.fleet.groups.size(); ++i)
    if (request.fleet.groups[i].name == vm.policy.group) member.pool = static_cast<std::uint32_t>(i + 1);
  if (const auto seen = memory_.find({vm.id, decision.direction}); seen != memory_.end()) {
    member.previous = seen->second.want;
    // A limit above the uplink says no more than the uplink: what a limited VM may want more than that stays bounded.
    member.installed = std::min(seen->second.installed, request.dataplane.capacity(decision.direction));
  }
  if (const auto regret = regrets_.find({request.dataplane.name, decision.direction}); regret != regrets_.end())
    if (const auto held = regret->second.held(vm.id, request.now)) {
      decision.distrust = "less turned out to be too little";
      member.known = false;
      member.previous = allocate::WantState{std::max(*held, member.previous ? member.previous->want : *held), {}};
    }
  if (!decision.forecast) return member;
  const auto& forecast = *decision.forecast;
  member.limited = forecast.limited;
  member.demand = forecast.want(tier.quantile);
  member.peak = forecast.demand(kPeakQuantile, forecast.quantiles.horizon());
  const auto& record = judge(vm.id, decision.direction, forecast, member.demand, tier.quantile);
  if (const auto instead = record.instead(); instead && *instead > member.demand) {
    decision.distrust = fmt::format("{} of the last {} intervals were above their forecasts", record.exceeded(),
                                    allocate::TrackRecord::kJudged);
    member.demand = *instead;
    member.peak = std::max(member.peak, *instead);
  }
  const auto capacity = request.dataplane.capacity(decision.direction);
  const auto doubt = distrust(forecast, member.demand, capacity, request.stale);
  if (doubt.empty()) return member;
  decision.distrust = doubt;
  // What was seen is sure, whatever is forecast.
  member.known = false;
  if (capacity != kUnlimited) member.demand = std::min(member.demand, capacity);
  member.demand = std::max(member.demand, forecast.last);
  return member;
}

fabric::Limit Planner::limit_of(const model::Policy& policy, const Decision& decision) const {
  const auto d = index(decision.direction);
  const allocate::BurstConfig burst{.committed_ns = settings_.committed_burst_ns,
                                    .peak_ns = policy.burst_ns == 0 ? settings_.peak_burst_ns : policy.burst_ns,
                                    .shaped_ns = settings_.shaped_burst_ns};
  return {allocate::police(decision.share, decision.direction,
                           {.weight = policy.weight[d], .packets_per_second = policy.packets[d], .shape = policy.shape},
                           burst),
          policy.guarantee[d], policy.cap[d]};
}

// Did the limits in force serve less than those before would have?
void Planner::look_back(const Request& request, Direction direction, Planned& planned) {
  if (!request.offered || request.stale) return;
  std::vector<allocate::Load> loads;
  for (const auto& vm : request.fleet.vms) {
    if (vm.dataplane != request.dataplane.name) continue;
    const auto memory = memory_.find({vm.id, direction});
    const auto offered = request.offered(vm.id, direction);
    if (memory == memory_.end() || !memory->second.want || !offered) continue;
    loads.push_back({vm.id, memory->second.cir, memory->second.installed, memory->second.want->want, *offered});
  }
  std::ranges::sort(loads, {}, &allocate::Load::vm);
  const auto verdict = regrets_[{request.dataplane.name, direction}].judge(
      request.now, std::move(loads), request.dataplane.capacity(direction), request.lending);
  if (verdict)
    planned.regrets.push_back(fmt::format(
        "{} {}: {} unserved, {} with the limits before: {} VMs get theirs back", request.dataplane.name,
        to_string(direction), format_rate({verdict->unserved}), format_rate({verdict->before}), verdict->restored));
}

Result<Ran> Planner::plan_direction(const Request& request, Direction direction, Planned& planned) {
  auto& decisions = planned.decisions;
  Ran ran{.direction = direction, .round = empty_round(request, direction)};
  std::vector<const model::Vm*> vms;
  for (const auto& vm : request.fleet.vms)
    if (vm.dataplane == request.dataplane.name) vms.push_back(&vm);
  std::ranges::sort(vms, {}, &model::Vm::id);
  const auto first = decisions.size();
  for (const auto* vm : vms) {
    decisions.push_back({.vm = vm->id, .direction = direction, .forecast = request.forecast(vm->id, direction)});
    ran.round.members.push_back(member_of(request, *vm, decisions.back()));
  }
  auto solved = allocate::solve(ran.round);
  if (!solved) return tl::unexpected(solved.error());
  ran.solved = std::move(*solved);
  std::vector<allocate::Share> shares;
  for (const auto& outcome : ran.solved.outcomes) shares.push_back(outcome.share);
  const auto reasons = allocate::explain(ran.solved.problem, shares);
  for (std::size_t i = 0; i < vms.size(); ++i) {
    auto& decision = decisions[first + i];
    const auto& outcome = ran.solved.outcomes[i];
    decision.want = outcome.state.want;
    decision.share = outcome.share;
    decision.why = fmt::format("{}; {}", basis(decision, *request.fleet.tier(vms[i]->policy.tier)), reasons[i]);
    decision.limit = limit_of(vms[i]->policy, decision);
    memory_[{vms[i]->id, direction}] = {outcome.state, decision.share.pir, decision.share.cir};
  }
  return ran;
}

void Planner::remember(const fabric::Target& installed) {
  for (const auto& [police, guarantee, cap] : installed.limits) {
    auto& memory = memory_[{police.vm, police.direction}];
    memory.installed = police.pir;
    memory.cir = police.cir;
    // A CIR that is the guarantee says only that no more was wanted.
    if (police.cir > guarantee) memory.want = allocate::WantState{police.cir, std::nullopt};
  }
}

void Planner::retain(const model::Fleet& fleet) {
  std::set<VmId> known;
  for (const auto& vm : fleet.vms) known.insert(vm.id);
  std::erase_if(memory_, [&](const auto& item) { return !known.contains(item.first.first); });
  std::erase_if(records_, [&](const auto& item) { return !known.contains(item.first.first); });
}

}  // namespace foreflow::app
