// SPDX-License-Identifier: Apache-2.0
#include "host/policy/effective.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fnmatch.h>

namespace foreflow::policy {
namespace {

template <typename T>
void replace_by_name(std::vector<T>& items, const std::vector<T>& newer) {
  for (const auto& item : newer) {
    const auto found = std::find_if(items.begin(), items.end(), [&](const T& old) { return old.name == item.name; });
    if (found == items.end())
      items.push_back(item);
    else
      *found = item;
  }
}

// The keys of one VM as rules of one rank set them.
class Layer {
 public:
  Layer(model::Fleet& fleet, model::Vm& vm, std::vector<std::string>& conflicts)
      : fleet_(fleet), vm_(vm), conflicts_(conflicts) {}

  void add(const model::PolicyPatch& patch, const Places& places) {
    for (const auto& [key, value] : said(patch)) {
      const auto name = key.substr(0, key.find(' '));
      const auto place = places.find(name);
      const auto where = place == places.end() ? places.at("") : place->second;
      const auto [first, is_new] = set_.try_emplace(key, value, where);
      if (!is_new && first->second.first != value)
        conflicts_.push_back(fmt::format("{}: vm '{}': {} = {}, but {} = {} at {}", where, vm_.name, key, value, key,
                                         first->second.first, first->second.second));
      fleet_.origins[fmt::format("vm {} {}", vm_.name, name)] = where;
    }
    vm_.policy = model::patched(std::move(vm_.policy), patch);
  }
  bool is_empty() const { return set_.empty(); }

 private:
  model::Fleet& fleet_;
  model::Vm& vm_;
  std::vector<std::string>& conflicts_;
  std::map<std::string, std::pair<std::string, std::string>> set_;  // key -> value and place
};

bool is_meant(const Event& event, const model::Vm& vm) {
  return std::any_of(event.vms.begin(), event.vms.end(), [&](const auto& name) { return matches(name, vm.name); }) ||
         std::find(event.groups.begin(), event.groups.end(), vm.policy.group) != event.groups.end();
}

void lay_over(Effective& result, model::Vm& vm, const Document& document, const std::vector<const Event*>& running) {
  for (const bool patterns : {true, false}) {
    Layer layer(result.fleet, vm, result.conflicts);
    for (const auto& rule : document.vms)
      if (rule.is_pattern() == patterns && matches(rule.name, vm.name)) layer.add(rule.patch, rule.places);
    if (!layer.is_empty()) result.patched.insert(vm.name);
  }
  Layer layer(result.fleet, vm, result.conflicts);
  for (const auto* event : running)
    if (is_meant(*event, vm)) layer.add(event->patch, event->places);
  if (!layer.is_empty()) result.patched.insert(vm.name);
}

void add_classes(model::Vm& vm, const Document& document) {
  for (const auto& one : document.classes) {
    const auto is_meant = [&](const std::string& pattern) { return matches(pattern, vm.name); };
    if (!one.vms.empty() && std::ranges::none_of(one.vms, is_meant)) continue;
    for (const auto category : one.categories) {
      model::Handling handling{.category = category, .dscp = one.dscp, .drop = one.drop};
      if (document.queueing && !one.drop) handling.queue = one.queue;
      handling.queue_group = one.queue_group;
      handling.mirror = one.mirror;
      handling.bypass = one.bypass;
      if (handling != model::Handling{.category = category}) vm.applications.push_back(handling);
    }
  }
}

void add_rules(model::Vm& vm, const Document& document) {
  for (const auto& rule : document.rules) {
    const auto is_meant = [&](const std::string& pattern) { return matches(pattern, vm.name); };
    if (!rule.vms.empty() && std::ranges::none_of(rule.vms, is_meant)) continue;
    for (const auto direction : kBothDirections) {
      if (rule.direction && *rule.direction != direction) continue;
      model::TrafficRule one{number_of(rule), rule.priority, rule.demand, rule.what};
      one.what.direction = direction;
      if (!document.queueing) one.what.queue.reset();
      // What reaches a VM has no network before it that a mark could speak to, and no uplink to wait for.
      const bool marks = one.what.dscp || one.what.queue;
      if (direction == Direction::kIngress) one.what.dscp = one.what.queue = std::nullopt;
      if (marks && wire::kind_of(one.what) == "count") continue;
      vm.rules.push_back(one);
    }
  }
}

void reduce(model::Fleet& fleet, const Maintenance& maintenance) {
  for (auto& dataplane : fleet.dataplanes) {
    if (dataplane.name != maintenance.dataplane) continue;
    for (auto& uplink : dataplane.uplinks)
      for (auto& capacity : uplink.capacity)
        if (capacity != kUnlimited)
          capacity.value = static_cast<std::uint64_t>(static_cast<unsigned __int128>(capacity.value) *
                                                      maintenance.capacity_percent / 100);
    if (maintenance.capacity_percent != 100)
      fleet.origins["dataplane " + dataplane.name + " uplinks"] = fmt::format(
          "{} % by maintenance '{}', {}", maintenance.capacity_percent, maintenance.name, maintenance.places.at(""));
  }
}

void sooner(std::optional<UnixNanos>& until, const std::optional<UnixNanos>& change) {
  if (change && (!until || *change < *until)) until = change;
}

}  // namespace

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

Effective effective(const model::Fleet& configured, const Document& document, UnixNanos time) {
  Effective result{.fleet = configured};
  replace_by_name(result.fleet.tiers, document.tiers);
  replace_by_name(result.fleet.groups, document.groups);
  result.fleet.queueing = document.queueing;
  for (const auto& [what, where] : document.origins) result.fleet.origins[what] = where;
  std::vector<const Event*> running;
  for (const auto& event : document.events) {
    sooner(result.until, next_change(event.window, time));
    if (!holds(event.window, time)) continue;
    running.push_back(&event);
    result.running.push_back("event " + event.name);
  }
  for (auto& vm : result.fleet.vms) {
    lay_over(result, vm, document, running);
    add_classes(vm, document);
    add_rules(vm, document);
  }
  for (const auto& maintenance : document.maintenance) {
    sooner(result.until, next_change(maintenance.window, time));
    if (!holds(maintenance.window, time)) continue;
    reduce(result.fleet, maintenance);
    if (maintenance.freeze) result.frozen.insert(maintenance.dataplane);
    result.running.push_back("maintenance " + maintenance.name);
  }
  return result;
}

}  // namespace foreflow::policy
