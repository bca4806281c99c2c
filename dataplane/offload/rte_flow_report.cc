// SPDX-License-Identifier: Apache-2.0
// RteFlowBackend's view outwards: what the device can do, what it counted, how it enforces.
#include <algorithm>

#include <fmt/format.h>
#include <rte_ethdev.h>

#include "common/log.h"
#include "dataplane/offload/canary.h"
#include "dataplane/offload/intent_rules.h"
#include "dataplane/offload/rate_grid.h"
#include "dataplane/offload/rte_flow_backend.h"

namespace foreflow::offload {
namespace {

constexpr unsigned kReadsUntilLost = 2;

std::string driver_of(std::uint16_t port_id) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port_id, &info) != 0 || info.driver_name == nullptr) return "unknown driver";
  return info.driver_name;
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
  no_bypass_.clear();
  no_metadata_.clear();
  for (const auto port : port_ids) {
    const auto proxy = TransferDomain::proxy_of(port);
    auto outcome = proxy ? Status{} : tl::unexpected(proxy.error());
    if (outcome) {
      auto& domain = domains_[*proxy];
      if (!domain) domain = std::make_unique<TransferDomain>(*proxy);
      outcome = try_canary(*domain, port);
      if (outcome) usable_.emplace(port, domain.get());
      if (const auto carries = try_bypass(*domain, port); !carries) no_bypass_.emplace(port, carries.error().message);
      if (const auto tells = try_metadata(*domain, port); !tells) no_metadata_.emplace(port, tells.error().message);
    }
    if (!outcome) {
      log::debug("no hardware meters", {{"port", port}, {"reason", outcome.error().message}});
      unusable_.emplace(port, outcome.error().message);
    }
  }
  wire::Capabilities found{.lending = wire::Lending::kNone, .hardware_meters = !usable_.empty(), .backend = ""};
  if (!found.hardware_meters) return found;
  auto& domain = *usable_.begin()->second;
  found.backend = "rte_flow on " + driver_of(domain.proxy());
  // Two-rate meters pass yellow blindly, so lending is done by changing their peaks. A hierarchy or a lower class would
  // know neither weights nor which packets stay local; they are only told.
  const auto lending = try_lending(domain);
  lending_ = describe(lending);
  if (lending.rerated) found.lending = wire::Lending::kHardware;
  log::debug("lending in the device", {{"found", lending_}});
  return found;
}

std::vector<wire::IntentStats> RteFlowBackend::read_stats() {
  std::vector<wire::IntentStats> all;
  for (auto& [id, installed] : installed_) {
    if (const auto stats = stats_of(installed)) all.push_back(*stats);
  }
  silent_reads_ = all.empty() && answers_for_nothing() ? silent_reads_ + 1 : 0;
  if (silent_reads_ >= kReadsUntilLost) forget_what_is_lost();
  return all;
}

// Neither for rules nor for meters nor for flows, of which there are some.
bool RteFlowBackend::answers_for_nothing() const {
  if (installed_.empty() && flows_.empty()) return false;
  return !flows_.device_answers() && std::ranges::none_of(installed_, [](const auto& entry) {
    const auto& installed = entry.second;
    return count_rules(installed) || (installed.meter && installed.domain->drops(*installed.meter));
  });
}

// One that cannot be reached at all is asked again with the next read.
void RteFlowBackend::forget_what_is_lost() {
  for (const auto& [proxy, domain] : domains_) {
    if (const auto flushed = domain->flush(); !flushed) {
      log::warning("the device does not answer", {{"reason", flushed.error().message}});
      return;
    }
  }
  log::warning("the device has lost its rules and meters; they are made again",
               {{"intents", installed_.size()}, {"flows", flows_.size()}});
  silent_reads_ = 0;
  installed_.clear();
  leftovers_.clear();
  routes_.clear();
  taken_.clear();
  flows_.forget();
}

// What the rules there are have counted; nullopt where a read fails.
std::optional<RteFlowBackend::Counted> RteFlowBackend::count_rules(const Installed& installed) {
  Counted counted{.idle = idle_seconds_of(installed.resolved) != 0};
  for (const auto& [match, rule] : installed.rules) {
    const auto tally = installed.domain->count(rule.flow);
    if (!tally) return std::nullopt;
    counted.tally.packets += tally->packets;
    counted.tally.bytes += tally->bytes;
    if (!counted.idle) continue;
    const auto idle = installed.domain->is_idle(rule.flow);
    if (!idle) return std::nullopt;
    counted.idle = *idle;
  }
  return counted;
}

std::optional<wire::IntentStats> RteFlowBackend::stats_of(Installed& installed) const {
  const auto counted = count_rules(installed);
  if (!counted) return std::nullopt;
  auto offered = installed.of_removed_rules;
  offered.packets += counted->tally.packets;
  offered.bytes += counted->tally.bytes;
  Result<Tally> dropped = Tally{};
  if (installed.meter) dropped = installed.domain->drops(*installed.meter);
  if (!dropped) return std::nullopt;
  if (drops_all(installed.resolved)) dropped = offered;
  // The two reads are not one instant; packets between them show up with the next read.
  auto& last = installed.last;
  const auto& before = installed.before;
  const auto passed = [](std::uint64_t all, std::uint64_t lost) { return all > lost ? all - lost : 0; };
  last.dropped_packets = std::max(last.dropped_packets, before.dropped_packets + dropped->packets);
  last.dropped_bytes = std::max(last.dropped_bytes, before.dropped_bytes + dropped->bytes);
  last.passed_packets =
      std::max(last.passed_packets, before.passed_packets + passed(offered.packets, dropped->packets));
  last.passed_bytes = std::max(last.passed_bytes, before.passed_bytes + passed(offered.bytes, dropped->bytes));
  last.idle = counted->idle;
  return last;
}

// A packet passes the meter before its ways part, so the one to the CPU and the one past it share it.
std::string RteFlowBackend::ways_past_the_cpu(const Installed& installed) const {
  for (const auto& [match, rule] : installed.rules)
    if (const auto why = no_bypass_.find(match.port_id); why != no_bypass_.end())
      return fmt::format("none from port {} ({})", match.port_id, why->second);
  return "behind this meter, like all others";
}

std::optional<std::string> RteFlowBackend::explain(IntentId id) const {
  const auto it = installed_.find(id);
  if (it == installed_.end()) return std::nullopt;
  const auto& installed = it->second;
  const auto& resolved = installed.resolved;
  std::string text;
  std::string ending = fmt::format("JUMP {}", group_of(resolved) + 1);
  if (const auto* police = std::get_if<wire::Police>(&resolved.intent.what)) {
    ending = fmt::format("METER {} (green, yellow: {}; red: DROP)", installed.meter->id, ending);
    text = fmt::format(
        "{} meter {} of VM {} on transfer proxy port {}: committed {} (asked {}), peak {} (asked {}){}\n",
        to_string(police->direction), installed.meter->id, police->vm.value, installed.domain->proxy(),
        format_rate(nearest_on_grid(police->cir)), format_rate(police->cir), format_rate(nearest_on_grid(police->pir)),
        format_rate(police->pir), installed.clearing ? ", to be removed" : "");
    text += fmt::format("lending: {}\n", lending_);
    text += fmt::format("flows past the CPU: {}\n", ways_past_the_cpu(installed));
  } else if (drops_all(resolved)) {
    ending = "DROP";
  }
  for (const auto& [match, rule] : installed.rules) {
    text += fmt::format("group {} priority {}: {} -> {}{}\n", group_of(resolved), rule.priority, describe(match),
                        describe(actions_of(resolved, match)), ending);
  }
  return text;
}

}  // namespace foreflow::offload
