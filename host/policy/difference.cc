// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <fmt/format.h>

#include "host/policy/check.h"

namespace foreflow::policy {
namespace {

using model::GuestResource;
using Facts = std::map<std::string, std::string>;

template <typename T, typename Text>
void put(Facts& facts, const std::string& what, const model::PerDirection<T>& value, Text text) {
  for (const auto direction : kBothDirections)
    facts[fmt::format("{} {}", what, to_string(direction))] = text(value[index(direction)]);
}

std::string text_of(const std::optional<model::Bypass>& bypass) {
  if (!bypass || bypass->off) return "no bypass";
  return fmt::format("bypass after {}, back after {} s", model::format_bypass(*bypass), bypass->idle_seconds);
}

std::string text_of(const std::optional<model::GuestShare>& share, GuestResource resource) {
  if (!share) return "left alone";
  const auto amount = [resource](std::uint64_t value) {
    return resource == GuestResource::kCpu ? fmt::format("{} CPUs", static_cast<double>(value) / 1e6)
                                           : format_bytes(Bytes{value});
  };
  return fmt::format("guarantee {}, cap {}, weight {}", amount(share->guarantee),
                     share->cap == model::GuestShare{}.cap ? "none" : amount(share->cap), share->weight);
}

void put(Facts& facts, const model::Vm& vm) {
  const auto what = "vm " + vm.name;
  const auto& policy = vm.policy;
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  facts[what + " tier"] = policy.tier;
  facts[what + " group"] = policy.group.empty() ? "-" : policy.group;
  facts[what + " burst"] = policy.burst_ns == 0 ? "default" : exact_duration(policy.burst_ns);
  facts[what + " excess"] = policy.shape ? "shape" : "police";
  facts[what + " bypass"] = policy.bypass ? text_of(policy.bypass) : "as its group";
  facts[what + " mode"] = model::to_string(policy.mode);
  facts[what + " CPU"] = text_of(policy.cpu, GuestResource::kCpu);
  facts[what + " memory"] = text_of(policy.memory, GuestResource::kMemory);
  put(facts, what + " guarantee", policy.guarantee, format_rate);
  put(facts, what + " cap", policy.cap, format_rate);
  put(facts, what + " least", policy.least, format_rate);
  put(facts, what + " most", policy.most, format_rate);
  put(facts, what + " weight", policy.weight, number);
  put(facts, what + " packets", policy.packets, number);
}

std::string text_of(const Window& window) {
  return fmt::format("{} to {}{}", format_time(window.from), format_time(window.to),
                     window.every_ns == 0                          ? ""
                     : window.every_ns == 86'400 * kNanosPerSecond ? ", every day"
                                                                   : ", every week");
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += " " + name;
  return out;
}

void put(Facts& facts, const Event& event) {
  auto text = fmt::format("{} for{}{}:", text_of(event.window), joined(event.vms), joined(event.groups));
  for (const auto& [key, value] : said(event.patch)) text += fmt::format(" {} = {}", key, value);
  facts["event " + event.name] = text;
}

void put(Facts& facts, const model::Fleet& fleet) {
  for (const auto& tier : fleet.tiers)
    facts["tier " + tier.name] =
        fmt::format("priority {}, quantile {}, weight {}{}", tier.priority, tier.quantile, tier.weight,
                    tier.hold_ns ? ", hold " + exact_duration(*tier.hold_ns) : "");
  for (const auto& group : fleet.groups) {
    put(facts, "group " + group.name + " cap", group.cap, format_rate);
    put(facts, "group " + group.name + " guarantee", group.guarantee, format_rate);
    facts["group " + group.name + " bypass"] = text_of(group.bypass);
    facts["group " + group.name + " burst"] = exact_duration(group.burst_ns);
  }
  for (const auto& dataplane : fleet.dataplanes)
    for (const auto direction : kBothDirections)
      facts[fmt::format("dataplane {} capacity {}", dataplane.name, to_string(direction))] =
          format_rate(dataplane.capacity(direction));
  for (const auto& vm : fleet.vms) put(facts, vm);
}

std::string does(const ApplicationClass& one) {
  std::string text = one.drop ? "drop" : one.dscp ? fmt::format("dscp {}", *one.dscp) : "not marked";
  if (one.queue) text += fmt::format(", queue {}", *one.queue);
  if (one.queue_group != 0) text += fmt::format(", queue group {}", one.queue_group);
  if (one.mirror) text += fmt::format(", 1 in {} mirrored to {}", one.mirror->one_in, one.mirror->port);
  if (one.bypass) text += ", " + text_of(one.bypass);
  return text;
}

std::string text_of(const wire::Queueing& queueing) {
  auto text = fmt::format("at most {}", exact_duration(queueing.longest_us * 1'000ull));
  for (std::size_t at = 0; at < queueing.queues.size(); ++at)
    text += queueing.queues[at].strict ? fmt::format(", {} strict", at)
                                       : fmt::format(", {} weight {}", at, queueing.queues[at].weight);
  return text;
}

Facts facts_of(const model::Fleet& configured, const Document& document, UnixNanos now) {
  Facts facts;
  put(facts, effective(configured, document, now).fleet);
  for (const auto& event : document.events) put(facts, event);
  for (const auto& maintenance : document.maintenance)
    facts["maintenance " + maintenance.name] =
        fmt::format("{} on {}: {} % of the capacity{}", text_of(maintenance.window), maintenance.dataplane,
                    maintenance.capacity_percent, maintenance.freeze ? ", limits frozen" : "");
  if (document.queueing) facts["queueing"] = text_of(*document.queueing);
  for (const auto& rule : document.rules) {
    std::string text;
    for (const auto& [key, value] : said(rule)) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, value);
    facts["rule " + rule.name] = text;
  }
  for (const auto& one : document.classes) {
    std::vector<std::string> names;
    for (const auto category : one.categories) names.emplace_back(to_string(category));
    facts["class " + one.name] =
        fmt::format("{}:{} of{}", does(one), joined(names), one.vms.empty() ? " all VMs" : joined(one.vms));
  }
  return facts;
}

}  // namespace

std::vector<Change> difference(const model::Fleet& configured, const Document& before, const Document& after,
                               UnixNanos now) {
  const auto old_facts = facts_of(configured, before, now);
  const auto new_facts = facts_of(configured, after, now);
  std::vector<Change> changes;
  for (const auto& [what, value] : old_facts) {
    const auto found = new_facts.find(what);
    const auto newer = found == new_facts.end() ? std::string() : found->second;
    if (newer != value) changes.push_back({what, value, newer});
  }
  for (const auto& [what, value] : new_facts)
    if (!old_facts.contains(what)) changes.push_back({what, "", value});
  return changes;
}

}  // namespace foreflow::policy
