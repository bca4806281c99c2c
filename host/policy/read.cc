// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "common/toml_reader.h"
#include "common/wire/limits.h"
#include "host/model/config_policy.h"
#include "host/policy/document.h"
#include "host/policy/read_rule.h"

namespace foreflow::policy {
namespace {

VmRule read_vm(TomlTable& table) {
  VmRule rule;
  table.require("name");
  table.read("name", rule.name);
  rule.patch = model::read_policy(table);
  rule.places = places_of(table);
  if (said(rule.patch).empty()) table.error("", "says nothing about the VM; give at least one of its policy's keys");
  table.finish();
  return rule;
}

Event read_event(TomlTable& table) {
  Event event;
  table.require("name");
  table.read("name", event.name);
  event.window = read_window(table);
  table.read("vms", event.vms);
  table.read("groups", event.groups);
  if (event.vms.empty() && event.groups.empty()) table.error("", "an event names its `vms` or `groups`");
  event.patch = model::read_policy(table);
  if (event.patch.group) table.error("group", "an event cannot move a VM to another group");
  event.places = places_of(table);
  table.finish();
  return event;
}

Maintenance read_maintenance(TomlTable& table) {
  Maintenance maintenance;
  for (const auto* key : {"name", "dataplane"}) table.require(key);
  table.read("name", maintenance.name);
  maintenance.window = read_window(table);
  table.read("dataplane", maintenance.dataplane);
  table.read("capacity_percent", maintenance.capacity_percent, 1, 100);
  table.read("freeze", maintenance.freeze);
  maintenance.places = places_of(table);
  table.finish();
  return maintenance;
}

void read_bypass(TomlTable& table, ApplicationClass& one) {
  model::read_bypass(table, one.bypass);
  if (one.bypass && (one.queue || one.queue_group != 0 || one.drop || one.dscp || one.mirror))
    table.error("bypass_after", "flows with a treatment stay in the pipeline; give this or the treatment");
}

ApplicationClass read_class(TomlTable& table) {
  ApplicationClass one;
  for (const auto* key : {"name", "categories"}) table.require(key);
  table.read("name", one.name);
  std::vector<std::string> names;
  table.read("categories", names);
  for (const auto& name : names) {
    if (const auto category = parse_category(name)) {
      one.categories.push_back(*category);
      continue;
    }
    const auto near = nearest(name, {kCategoryNames.begin(), kCategoryNames.end()});
    table.error("categories", fmt::format("there is no category '{}'{}", name,
                                          near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  table.read("vms", one.vms);
  read_dscp(table, one.dscp);
  table.read("drop", one.drop);
  if (one.drop && one.dscp) table.error("dscp", "what is dropped cannot be marked; give `drop` or `dscp`");
  if (one.drop && std::ranges::find(one.categories, Category::kUnknown) != one.categories.end())
    table.error("categories", "every flow is 'unknown' until it is recognised, so dropping that would drop all");
  read_ways(table, one.queue, one.queue_group, one.mirror);
  read_bypass(table, one);
  one.places = places_of(table);
  table.finish();
  return one;
}

wire::Queueing read_queueing(TomlTable& table) {
  wire::Queueing queueing;
  std::vector<std::uint32_t> strict{0};
  std::vector<std::uint32_t> weights;
  table.read("strict", strict);
  table.read("weights", weights);
  for (const auto number : strict) {
    if (number > wire::kLastQueue)
      table.error("strict", fmt::format("there is no queue {}; there are 0 to {}", number, wire::kLastQueue));
    else
      queueing.queues[number].strict = true;
  }
  if (weights.size() > wire::kQueues)
    table.error("weights", fmt::format("{} weights; there are {} queues", weights.size(), wire::kQueues));
  for (std::size_t at = 0; at < std::min(weights.size(), wire::kQueues); ++at) {
    queueing.queues[at].weight = weights[at];
    if (weights[at] < 1 || weights[at] > wire::kLargestQueueWeight)
      table.error("weights", fmt::format("{} is no weight; 1 to {} are", weights[at], wire::kLargestQueueWeight));
  }
  std::uint64_t longest = queueing.longest_us * 1'000ull;
  table.read("longest", longest, parse_duration);
  if (longest < 1'000 || longest > wire::kLongestQueueUs * 1'000ull)
    table.error("longest", "must be 1us to 1s");
  else
    queueing.longest_us = static_cast<std::uint32_t>(longest / 1'000);
  table.finish();
  return queueing;
}

// Names that are given twice, and where the first one stands.
template <typename Item>
void refuse_twins(std::vector<TomlTable>& tables, const std::vector<Item>& items) {
  std::map<std::string, std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [first, is_new] = seen.try_emplace(items[i].name, tables[i].where("name"));
    if (!is_new) tables[i].error("name", fmt::format("'{}' is there already, at {}", items[i].name, first->second));
  }
}

void refuse_shared_categories(std::vector<TomlTable>& tables, const std::vector<ApplicationClass>& classes) {
  std::map<Category, std::size_t> taken;
  for (std::size_t i = 0; i < classes.size(); ++i)
    for (const auto category : classes[i].categories) {
      const auto [first, is_new] = taken.try_emplace(category, i);
      if (!is_new)
        tables[i].error("categories",
                        fmt::format("'{}' belongs to class '{}' already, at {}", to_string(category),
                                    classes[first->second].name, tables[first->second].where("categories")));
    }
}

template <typename Item, typename Read>
std::vector<TomlTable> read_all(TomlTable& root, std::string_view key, std::vector<Item>& out, Read read_one) {
  auto tables = root.tables(key);
  for (auto& table : tables) out.push_back(read_one(table));
  refuse_twins(tables, out);
  return tables;
}

}  // namespace

Result<Document> read(std::string_view text, std::string_view name) {
  if (text.size() > kLargestText)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: {} bytes; a policy has at most {}", name, text.size(), kLargestText));
  auto toml = TomlDocument::parse(text, name);
  if (!toml) return tl::unexpected(toml.error());
  auto& root = toml->root();
  Document document;
  const auto tiers = read_all(root, "tier", document.tiers, model::read_tier);
  for (std::size_t i = 0; i < tiers.size(); ++i)
    model::note_origins(tiers[i], "tier " + document.tiers[i].name, document.origins);
  const auto groups = read_all(root, "group", document.groups, model::read_group);
  for (std::size_t i = 0; i < groups.size(); ++i)
    model::note_origins(groups[i], "group " + document.groups[i].name, document.origins);
  read_all(root, "vm", document.vms, read_vm);
  const auto events = read_all(root, "event", document.events, read_event);
  auto maintenance = read_all(root, "maintenance", document.maintenance, read_maintenance);
  if (events.size() + maintenance.size() > kMostWindows)
    root.error("", fmt::format("{} events and maintenance windows; a policy has at most {}",
                               events.size() + maintenance.size(), kMostWindows));
  auto classes = read_all(root, "class", document.classes, read_class);
  refuse_shared_categories(classes, document.classes);
  auto rules = read_all(root, "rule", document.rules, read_rule);
  refuse_shared_numbers(rules, document.rules);
  if (rules.size() > kMostRules)
    root.error("rule", fmt::format("{} rules; a policy has at most {}", rules.size(), kMostRules));
  if (auto table = root.table("queueing")) document.queueing = read_queueing(*table);
  root.finish();
  if (auto good = toml->check(); !good) return tl::unexpected(good.error());
  return document;
}

}  // namespace foreflow::policy
