// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend's single rules, and the routes that lead packets to them.
#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/groups.h"
#include "dataplane/offload/intent_rules.h"
#include "dataplane/offload/rte_flow_backend.h"

namespace foreflow::offload {

Status RteFlowBackend::create_rule(Installed& installed, const RuleMatch& match) {
  auto& domain = *installed.domain;
  const auto group = group_of(installed.resolved);
  const auto priority = free_priority(installed.resolved, match);
  if (!priority) return tl::unexpected(priority.error());
  if (auto route = acquire_route(domain, match.port_id); !route) return route;
  if (installed.resolved.steer_port) {
    if (auto diverted = divert(match.port_id); !diverted) {
      release_route(match.port_id);
      return diverted;
    }
  }
  const auto flow = domain.create({.group = group,
                                   .priority = *priority,
                                   .match = match,
                                   .actions = actions_of(installed.resolved, match),
                                   .meter = installed.meter ? std::optional(installed.meter->id) : std::nullopt,
                                   .drop = drops_all(installed.resolved),
                                   .jump = group + 1});
  if (!flow) {
    release_route(match.port_id);
    return tl::unexpected(flow.error());
  }
  taken_.insert({group, match, *priority});
  installed.rules.emplace(match, InstalledRule{.flow = *flow, .priority = *priority});
  return {};
}

Status RteFlowBackend::destroy_rule(Installed& installed, Rules::iterator rule) {
  auto& domain = *installed.domain;
  const auto counted = domain.count(rule->second.flow);
  if (auto destroyed = domain.destroy(rule->second.flow); !destroyed) return destroyed;
  if (counted) {
    installed.of_removed_rules.packets += counted->packets;
    installed.of_removed_rules.bytes += counted->bytes;
  }
  const auto match = rule->first;
  taken_.erase({group_of(installed.resolved), match, rule->second.priority});
  installed.rules.erase(rule);
  return release_route(match.port_id);
}

Result<std::uint32_t> RteFlowBackend::free_priority(const ResolvedIntent& intent, const RuleMatch& match) const {
  const auto group = group_of(intent);
  auto strongest = match.segment.value != 0 ? kTaggedPriority : kUntaggedPriority;
  if (std::holds_alternative<wire::Treatment>(intent.intent.what))
    strongest += kFirstTreatment + intent.intent.priority * kLevelsPerPriority;
  for (auto priority = strongest; priority < strongest + kLevels; ++priority) {
    if (!taken_.contains({group, match, priority})) return priority;
  }
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("other intents of this priority match the same packets already: {}", describe(match)));
}

// From the last group to the first, so that no packet is led to where nothing leads on.
Status RteFlowBackend::acquire_route(TransferDomain& domain, std::uint16_t port_id) {
  auto& route = routes_[port_id];
  route.domain = &domain;
  for (auto group = kDeliveryGroup; group-- > kEntryGroup;) {
    if (route.hops.at(group) != nullptr) continue;
    const auto flow = domain.create({.group = group,
                                     .priority = group == kEntryGroup ? 0 : kPassOnPriority,
                                     .match = {.port_id = port_id},
                                     .jump = group + 1});
    if (!flow) {
      sweep_routes();
      return tl::unexpected(flow.error());
    }
    route.hops.at(group) = *flow;
  }
  ++route.users;
  return {};
}

// On a route that is held: lasts as long as the route.
Status RteFlowBackend::divert(std::uint16_t port_id) {
  auto& route = routes_.at(port_id);
  if (route.diversion != nullptr) return {};
  const auto flow = route.domain->create({.group = kTreatToVmGroup,
                                          .priority = kDiversionPriority,
                                          .match = {.port_id = port_id, .steered_away = true},
                                          .jump = kDeliveryGroup});
  if (!flow) return tl::unexpected(flow.error());
  route.diversion = *flow;
  return {};
}

Status RteFlowBackend::release_route(std::uint16_t port_id) {
  const auto it = routes_.find(port_id);
  if (it == routes_.end()) return {};
  auto& route = it->second;
  if (route.users > 0) --route.users;
  if (route.users > 0) return {};
  const auto destroy = [&](rte_flow*& rule) -> Status {
    if (rule == nullptr) return {};
    auto destroyed = route.domain->destroy(rule);
    if (destroyed) rule = nullptr;
    return destroyed;
  };
  if (auto destroyed = destroy(route.diversion); !destroyed) return destroyed;
  for (auto& hop : route.hops)
    if (auto destroyed = destroy(hop); !destroyed) return destroyed;
  routes_.erase(it);
  return {};
}

FlowRules::Ports RteFlowBackend::ports_of_flows() {
  const auto domain = [this](std::uint16_t port) -> Result<TransferDomain*> {
    if (const auto why = no_bypass_.find(port); why != no_bypass_.end())
      return fail(ErrorCode::kUnsupported, why->second);
    const auto found = usable_.find(port);
    if (found == usable_.end())
      return fail(ErrorCode::kUnsupported, fmt::format("port {} has no hardware meters", port));
    return found->second;
  };
  const auto hold = [this](TransferDomain& of, std::uint16_t port) { return acquire_route(of, port); };
  const auto let_go = [this](std::uint16_t port) {
    // What the device does not give up is tried again by the next change.
    if (const auto released = release_route(port); !released)
      log::warning("the device keeps a route that nobody needs",
                   {{"port", port}, {"reason", released.error().message}});
  };
  return {domain, hold, let_go};
}

// Routes that nobody needs and that the device did not give up before.
void RteFlowBackend::sweep_routes() {
  std::vector<std::uint16_t> unused;
  for (const auto& [port, route] : routes_) {
    if (route.users == 0) unused.push_back(port);
  }
  for (const auto port : unused) {
    if (const auto released = release_route(port); !released) {
      log::warning("the device keeps a route that nobody needs",
                   {{"port", port}, {"reason", released.error().message}});
    }
  }
}

}  // namespace foreflow::offload
