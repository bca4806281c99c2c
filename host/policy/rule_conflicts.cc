// SPDX-License-Identifier: Apache-2.0
#include "host/policy/rule_conflicts.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/wire/overlap.h"
#include "host/policy/effective.h"

namespace foreflow::policy {
namespace {

bool concerns(const TrafficRule& rule, const model::Vm& vm) {
  return rule.vms.empty() ||
         std::ranges::any_of(rule.vms, [&](const std::string& pattern) { return matches(pattern, vm.name); });
}

bool contradict(const TrafficRule& a, const TrafficRule& b) {
  if (a.priority != b.priority || (a.direction && b.direction && a.direction != b.direction)) return false;
  if (!wire::may_overlap(a.what.match, b.what.match)) return false;
  auto same = b.what;
  same.match = a.what.match;
  return a.what != same;
}

}  // namespace

std::vector<std::string> rule_conflicts(const model::Fleet& fleet, const Document& document) {
  std::vector<std::string> conflicts;
  const auto& rules = document.rules;
  for (std::size_t i = 0; i < rules.size(); ++i)
    for (std::size_t j = i + 1; j < rules.size(); ++j) {
      if (!contradict(rules[i], rules[j])) continue;
      const auto vm = std::ranges::find_if(
          fleet.vms, [&](const model::Vm& one) { return concerns(rules[i], one) && concerns(rules[j], one); });
      if (vm == fleet.vms.end()) continue;
      conflicts.push_back(fmt::format(
          "{}: packets of VM '{}' can match rule '{}' and rule '{}' ({}), which do different "
          "things at the same priority {}; give one of them a lower number",
          rules[j].places.at(""), vm->name, rules[j].name, rules[i].name, rules[i].places.at(""), rules[i].priority));
    }
  return conflicts;
}

}  // namespace foreflow::policy
