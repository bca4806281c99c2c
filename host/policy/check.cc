// SPDX-License-Identifier: Apache-2.0
#include "host/policy/check.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/toml_reader.h"
#include "host/policy/rule_conflicts.h"

namespace foreflow::policy {
namespace {

std::string subject_of(const model::Fleet& fleet, const model::Objection& objection) {
  using Subject = model::Objection::Subject;
  switch (objection.subject) {
    case Subject::kTier:
      return "tier " + fleet.tiers[objection.index].name;
    case Subject::kGroup:
      return "group " + fleet.groups[objection.index].name;
    case Subject::kDataplane:
      return "dataplane " + fleet.dataplanes[objection.index].name;
    case Subject::kHypervisor:
      return "hypervisor " + fleet.hypervisors[objection.index].host;
    case Subject::kVm:
      return "vm " + fleet.vms[objection.index].name;
  }
  return "";
}

// Reasons in order, each once.
class Reasons {
 public:
  void add(std::string reason) {
    if (seen_.insert(reason).second) all_.push_back(std::move(reason));
  }
  std::vector<std::string> take() && { return std::move(all_); }

 private:
  std::set<std::string> seen_;
  std::vector<std::string> all_;
};

template <typename T>
void need(Reasons& reasons, const std::vector<T>& known, std::string_view kind, const std::string& name,
          const std::string& where) {
  if (std::any_of(known.begin(), known.end(), [&](const T& item) { return matches(name, item.name); })) return;
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const auto& item : known) names.push_back(item.name);
  const auto near = nearest(name, names);
  reasons.add(fmt::format("{}: there is no {} '{}'{}", where, kind, name,
                          near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

const std::string& place(const Places& places, const std::string& key) {
  const auto found = places.find(key);
  return found == places.end() ? places.at("") : found->second;
}

void check_names(const Effective& present, const Document& document, Reasons& reasons) {
  const auto& fleet = present.fleet;
  for (const auto& rule : document.vms) need(reasons, fleet.vms, "VM", rule.name, place(rule.places, "name"));
  for (const auto& event : document.events) {
    for (const auto& name : event.vms) need(reasons, fleet.vms, "VM", name, place(event.places, "vms"));
    for (const auto& name : event.groups) need(reasons, fleet.groups, "group", name, place(event.places, "groups"));
  }
  for (const auto& one : document.classes)
    for (const auto& name : one.vms) need(reasons, fleet.vms, "VM", name, place(one.places, "vms"));
  for (const auto& rule : document.rules)
    for (const auto& name : rule.vms) need(reasons, fleet.vms, "VM", name, place(rule.places, "vms"));
  for (const auto& maintenance : document.maintenance)
    need(reasons, fleet.dataplanes, "dataplane", maintenance.dataplane, place(maintenance.places, "dataplane"));
}

void check_at(const Effective& at, UnixNanos time, bool is_now, Reasons& reasons) {
  std::string when;
  for (const auto& running : at.running) when += (when.empty() ? "" : ", ") + running;
  if (!when.empty())
    when = fmt::format(" [{}{}]", is_now ? "" : "from " + format_time(time).substr(0, 19) + "Z: ", when);
  for (const auto& conflict : at.conflicts) reasons.add(conflict);
  for (const auto& objection : model::objections(at.fleet)) {
    const auto found = at.fleet.origins.find(subject_of(at.fleet, objection) + " " + objection.key);
    reasons.add(
        fmt::format("{}{}{}", found == at.fleet.origins.end() ? "" : found->second + ": ", objection.reason, when));
  }
}

std::vector<const Window*> windows(const Document& document) {
  std::vector<const Window*> all;
  for (const auto& event : document.events) all.push_back(&event.window);
  for (const auto& maintenance : document.maintenance) all.push_back(&maintenance.window);
  return all;
}

// Each beginning, and the beginnings that follow it: windows that are repeated meet others only later.
std::set<UnixNanos> beginnings(const Document& document, UnixNanos now) {
  const auto all = windows(document);
  std::set<UnixNanos> first;
  for (const auto* window : all)
    if (const auto start = next_start(*window, now)) first.insert(*start);
  auto times = first;
  for (const auto time : first)
    for (const auto* window : all)
      if (const auto start = next_start(*window, time)) times.insert(*start);
  return times;
}

}  // namespace

std::vector<std::string> check(const model::Fleet& configured, const Document& document, UnixNanos now) {
  Reasons reasons;
  const auto present = effective(configured, document, now);
  check_names(present, document, reasons);
  for (const auto& conflict : rule_conflicts(configured, document)) reasons.add(conflict);
  check_at(present, now, true, reasons);
  for (const auto time : beginnings(document, now))
    check_at(effective(configured, document, time), time, false, reasons);
  return std::move(reasons).take();
}

}  // namespace foreflow::policy
