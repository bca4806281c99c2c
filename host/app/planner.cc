// SPDX-License-Identifier: Apache-2.0
#include "host/app/planner.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "host/allocate/admission.h"
#include "host/allocate/certificate.h"
#include "host/allocate/limits.h"

namespace foreflow::app {
namespace {

static_assert(model::kPlanningQuantiles == predictor::kQuantiles);

constexpr std::size_t kLeads = 2;  // the interval in progress and the next: limits stand before the demand does
constexpr double kPeakQuantile = .999;

std::string basis(const Decision& decision, const model::Tier& tier) {
  if (!decision.forecast) return fmt::format("wants {} (no traffic seen yet)", format_rate(decision.want));
  return fmt::format("wants {} (q{} by {}{})", format_rate(decision.want), tier.quantile,
                     decision.forecast->quantiles.model, decision.forecast->limited ? ", limited now" : "");
}

bool is_contended(const allocate::Link& link, const std::vector<allocate::WantState>& wants) {
  unsigned __int128 sum = 0;
  for (const auto& state : wants) sum += state.want.value;
  return sum > allocate::promisable(link).value;
}

allocate::Claim claim(const model::Vm& vm, const model::Tier& tier, const Decision& decision, std::size_t d) {
  allocate::Claim claim{.vm = vm.id,
                        .tier = tier.priority,
                        .weight = vm.policy.weight[d],
                        .guarantee = vm.policy.guarantee[d],
                        .cap = vm.policy.cap[d],
                        .want = decision.want,
                        .peak = decision.want,
                        .links = {0}};
  if (decision.forecast)
    claim.peak = std::max(claim.want, decision.forecast->demand(kPeakQuantile, decision.forecast->quantiles.horizon()));
  return claim;
}

}  // namespace

Planner::Planner(const model::AllocationSettings& settings)
    : want_config_{.hold_ns = settings.hold_ns},
      burst_config_{.committed_ns = settings.committed_burst_ns,
                    .peak_ns = settings.peak_burst_ns,
                    .shaped_ns = settings.shaped_burst_ns},
      floor_(settings.floor) {}

Result<std::vector<Decision>> Planner::plan(const Request& request) {
  std::vector<Decision> all;
  for (const auto direction : kBothDirections) {
    auto decisions = plan_direction(request, direction);
    if (!decisions) return decisions;
    std::move(decisions->begin(), decisions->end(), std::back_inserter(all));
  }
  return all;
}

allocate::WantInput Planner::want_input(const Request& request, const model::Vm& vm, const Decision& decision) const {
  const auto d = index(decision.direction);
  allocate::WantInput input{.now = request.now, .floor = floor_, .cap = vm.policy.cap[d]};
  if (const auto seen = memory_.find({vm.id, decision.direction}); seen != memory_.end())
    input.installed = seen->second.installed;
  input.known = decision.forecast.has_value();
  if (decision.forecast) {
    input.demand = decision.forecast->demand(request.fleet.tier(vm.policy.tier)->quantile, kLeads);
    input.limited = decision.forecast->limited;
  }
  return input;
}

Result<std::vector<Decision>> Planner::plan_direction(const Request& request, Direction direction) {
  const auto d = index(direction);
  allocate::Problem problem{.lending = request.lending};
  problem.links.push_back(
      {request.dataplane.capacity(direction), fmt::format("{} {}", request.dataplane.name, to_string(direction))});

  std::vector<const model::Vm*> vms;
  for (const auto& vm : request.fleet.vms)
    if (vm.dataplane == request.dataplane.name) vms.push_back(&vm);
  std::vector<Decision> decisions;
  decisions.reserve(vms.size());
  for (const auto* vm : vms)
    decisions.push_back({.vm = vm->id, .direction = direction, .forecast = request.forecast(vm->id, direction)});

  const auto wants = [&](bool contended) {
    std::vector<allocate::WantState> states;
    for (std::size_t i = 0; i < vms.size(); ++i) {
      auto input = want_input(request, *vms[i], decisions[i]);
      input.contended = contended;
      const auto seen = memory_.find({vms[i]->id, direction});
      states.push_back(
          allocate::next_want(want_config_, seen == memory_.end() ? std::nullopt : seen->second.want, input));
    }
    return states;
  };
  auto states = wants(false);
  if (is_contended(problem.links[0], states)) states = wants(true);

  for (std::size_t i = 0; i < vms.size(); ++i) {
    decisions[i].want = states[i].want;
    problem.claims.push_back(claim(*vms[i], *request.fleet.tier(vms[i]->policy.tier), decisions[i], d));
  }
  const auto shares = allocate::allocate(problem);
  if (!shares) return tl::unexpected(shares.error());
  if (const Status proof = allocate::certify(problem, *shares); !proof) return tl::unexpected(proof.error());
  const auto reasons = allocate::explain(problem, *shares);
  for (std::size_t i = 0; i < vms.size(); ++i) {
    const auto& policy = vms[i]->policy;
    auto& decision = decisions[i];
    decision.share = (*shares)[i];
    decision.why = fmt::format("{}; {}", basis(decision, *request.fleet.tier(policy.tier)), reasons[i]);
    decision.limit = {
        allocate::police(decision.share, direction,
                         {.weight = policy.weight[d], .packets_per_second = policy.packets[d], .shape = policy.shape},
                         burst_config_),
        policy.guarantee[d], policy.cap[d]};
    memory_[{vms[i]->id, direction}] = {states[i], decision.share.pir};
  }
  return decisions;
}

void Planner::remember(const fabric::Target& installed) {
  for (const auto& [police, guarantee, cap] : installed.limits) {
    auto& memory = memory_[{police.vm, police.direction}];
    memory.installed = police.pir;
    // A CIR that is the guarantee says only that no more was wanted.
    if (police.cir > guarantee) memory.want = allocate::WantState{police.cir, std::nullopt};
  }
}

void Planner::retain(const model::Fleet& fleet) {
  std::set<VmId> known;
  for (const auto& vm : fleet.vms) known.insert(vm.id);
  std::erase_if(memory_, [&](const auto& item) { return !known.contains(item.first.first); });
}

}  // namespace foreflow::app
