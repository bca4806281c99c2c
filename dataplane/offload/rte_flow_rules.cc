// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend's single rules, and the routes that lead packets to them.
#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/groups.h"
#include "dataplane/offload/rte_flow_backend.h"

namespace foreflow::offload {

Status RteFlowBackend::create_rule(Installed& installed, const RuleMatch& match) {
  auto& domain = *installed.domain;
  const auto group = installed.meter.next_group - 1;
  const auto priority = free_priority(group, match);
  if (!priority) return tl::unexpected(priority.error());
  if (auto route = acquire_route(domain, match.port_id); !route) return route;
  const auto flow = domain.create({.group = group, .priority = *priority, .match = match, .meter = installed.meter.id});
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
  taken_.erase({installed.meter.next_group - 1, match, rule->second.priority});
  installed.rules.erase(rule);
  return release_route(match.port_id);
}

Result<std::uint32_t> RteFlowBackend::free_priority(std::uint32_t group, const RuleMatch& match) const {
  const auto strongest = match.segment.value != 0 ? kTaggedPriority : kUntaggedPriority;
  for (auto priority = strongest; priority < strongest + kLevels; ++priority) {
    if (!taken_.contains({group, match, priority})) return priority;
  }
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("port {} and this MAC address are metered by other intents already", match.port_id));
}

Status RteFlowBackend::acquire_route(TransferDomain& domain, std::uint16_t port_id) {
  auto& route = routes_[port_id];
  route.domain = &domain;
  if (route.pass_on == nullptr) {
    const auto flow = domain.create({.group = kFromVmGroup,
                                     .priority = kPassOnPriority,
                                     .match = {.port_id = port_id},
                                     .meter = std::nullopt,
                                     .jump = kToVmGroup});
    if (!flow) return tl::unexpected(flow.error());
    route.pass_on = *flow;
  }
  if (route.entry == nullptr) {
    const auto flow = domain.create({.group = kEntryGroup,
                                     .priority = 0,
                                     .match = {.port_id = port_id},
                                     .meter = std::nullopt,
                                     .jump = kFromVmGroup});
    if (!flow) {
      sweep_routes();
      return tl::unexpected(flow.error());
    }
    route.entry = *flow;
  }
  ++route.users;
  return {};
}

Status RteFlowBackend::release_route(std::uint16_t port_id) {
  const auto it = routes_.find(port_id);
  if (it == routes_.end()) return {};
  auto& route = it->second;
  if (route.users > 0) --route.users;
  if (route.users > 0) return {};
  for (auto** flow : {&route.entry, &route.pass_on}) {
    if (*flow == nullptr) continue;
    if (auto destroyed = route.domain->destroy(*flow); !destroyed) return destroyed;
    *flow = nullptr;
  }
  routes_.erase(it);
  return {};
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
