// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend's view outwards: what the device can do, what it counted, how it enforces.
#include <algorithm>

#include <fmt/format.h>
#include <rte_ethdev.h>

#include "common/log.h"
#include "dataplane/offload/canary.h"
#include "dataplane/offload/rate_grid.h"
#include "dataplane/offload/rte_flow_backend.h"

namespace foreflow::offload {
namespace {

std::string driver_of(std::uint16_t port_id) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port_id, &info) != 0 || info.driver_name == nullptr) return "unknown driver";
  return info.driver_name;
}

std::string describe(const RuleMatch& match) {
  std::string text = fmt::format("port {}", match.port_id);
  if (match.source) text += ", source " + to_string(*match.source);
  if (match.destination) text += ", destination " + to_string(*match.destination);
  if (match.segment.value != 0) text += fmt::format(", VLAN {}", match.segment.value);
  return text;
}

}  // namespace

Result<std::size_t> RteFlowBackend::reconcile(const std::vector<std::uint16_t>& port_ids) {
  std::size_t removed = 0;
  for (const auto port : port_ids) {
    const auto proxy = TransferDomain::proxy_of(port);
    if (!proxy || domains_.contains(*proxy)) continue;
    auto domain = std::make_unique<TransferDomain>(*proxy);
    // A device without such meters cannot hold anything of ours.
    if (domain->check_capabilities()) {
      auto flushed = domain->flush();
      if (!flushed) return flushed;
      removed += *flushed;
    }
    domains_.emplace(*proxy, std::move(domain));
  }
  return removed;
}

wire::Capabilities RteFlowBackend::probe(const std::vector<std::uint16_t>& port_ids) {
  usable_.clear();
  unusable_.clear();
  for (const auto port : port_ids) {
    const auto proxy = TransferDomain::proxy_of(port);
    auto outcome = proxy ? Status{} : tl::unexpected(proxy.error());
    if (outcome) {
      auto& domain = domains_[*proxy];
      if (!domain) domain = std::make_unique<TransferDomain>(*proxy);
      outcome = try_canary(*domain, port);
      if (outcome) usable_.emplace(port, domain.get());
    }
    if (!outcome) {
      log::debug("no hardware meters", {{"port", port}, {"reason", outcome.error().message}});
      unusable_.emplace(port, outcome.error().message);
    }
  }
  // Two-rate meters pass yellow blindly: what one VM leaves unused, the device cannot lend.
  wire::Capabilities found{.lending = wire::Lending::kNone, .hardware_meters = !usable_.empty(), .backend = ""};
  if (found.hardware_meters) found.backend = "rte_flow on " + driver_of(usable_.begin()->second->proxy());
  return found;
}

std::vector<wire::IntentStats> RteFlowBackend::read_stats() {
  std::vector<wire::IntentStats> all;
  for (auto& [id, installed] : installed_) {
    if (const auto stats = stats_of(installed)) all.push_back(*stats);
  }
  return all;
}

std::optional<wire::IntentStats> RteFlowBackend::stats_of(Installed& installed) const {
  auto offered = installed.of_removed_rules;
  for (const auto& [match, rule] : installed.rules) {
    const auto counted = installed.domain->count(rule.flow);
    if (!counted) return std::nullopt;
    offered.packets += counted->packets;
    offered.bytes += counted->bytes;
  }
  const auto dropped = installed.domain->drops(installed.meter);
  if (!dropped) return std::nullopt;
  // The two reads are not one instant; packets between them show up with the next read.
  auto& last = installed.last;
  const auto passed = [](std::uint64_t all, std::uint64_t lost) { return all > lost ? all - lost : 0; };
  last.dropped_packets = std::max(last.dropped_packets, dropped->packets);
  last.dropped_bytes = std::max(last.dropped_bytes, dropped->bytes);
  last.passed_packets = std::max(last.passed_packets, passed(offered.packets, dropped->packets));
  last.passed_bytes = std::max(last.passed_bytes, passed(offered.bytes, dropped->bytes));
  return last;
}

std::optional<std::string> RteFlowBackend::explain(IntentId id) const {
  const auto it = installed_.find(id);
  if (it == installed_.end()) return std::nullopt;
  const auto& [domain, resolved, meter, rules, removed, last, clearing] = it->second;
  const auto& police = std::get<wire::Police>(resolved.intent.what);
  auto text =
      fmt::format("{} meter {} of VM {} on transfer proxy port {}: committed {} (asked {}), peak {} (asked {}){}\n",
                  to_string(police.direction), meter.id, police.vm.value, domain->proxy(),
                  format_rate(nearest_on_grid(police.cir)), format_rate(police.cir),
                  format_rate(nearest_on_grid(police.pir)), format_rate(police.pir), clearing ? ", to be removed" : "");
  for (const auto& [match, rule] : rules) {
    text += fmt::format("group {} priority {}: {} -> COUNT, METER {} (green, yellow: JUMP {}; red: DROP)\n",
                        meter.next_group - 1, rule.priority, describe(match), meter.id, meter.next_group);
  }
  return text;
}

}  // namespace foreflow::offload
