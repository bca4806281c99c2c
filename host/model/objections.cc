// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "common/toml_reader.h"
#include "host/model/fleet.h"

namespace foreflow::model {
namespace {

using Subject = Objection::Subject;

// Names become tags of stored points, arguments of commands and columns of tables.
bool is_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), plain);
}

template <typename T>
void check_names(const std::vector<T>& items, Subject subject, std::vector<Objection>& out) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& name = items[i].name;
    if (!is_name(name))
      out.push_back({subject, i, "name", "a name has 1 to 63 letters, digits, '-', '_' or '.'"});
    else if (!seen.insert(name).second)
      out.push_back({subject, i, "name", fmt::format("'{}' is there twice", name)});
  }
}

template <typename T>
std::string unknown(std::string_view what, std::string_view name, const std::vector<T>& known) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const auto& item : known) names.push_back(item.name);
  const auto near = nearest(name, names);
  return fmt::format("there is no {} '{}'{}", what, name, near ? fmt::format("; did you mean '{}'?", *near) : "");
}

void check_policy(const Fleet& fleet, std::size_t i, std::vector<Objection>& out) {
  const auto& policy = fleet.vms[i].policy;
  const auto& name = fleet.vms[i].name;
  if (!fleet.tier(policy.tier)) out.push_back({Subject::kVm, i, "tier", unknown("tier", policy.tier, fleet.tiers)});
  if (!policy.group.empty() && !fleet.group(policy.group))
    out.push_back({Subject::kVm, i, "group", unknown("group", policy.group, fleet.groups)});
  for (const auto direction : kBothDirections) {
    const auto d = index(direction);
    if (policy.weight[d] > kLargestWeight)
      out.push_back({Subject::kVm, i, "weight",
                     fmt::format("the {} weight of '{}' is {}; a weight is 0 to {}", to_string(direction),
                                 fleet.vms[i].name, policy.weight[d], kLargestWeight)});
    if (policy.guarantee[d] == kUnlimited)
      out.push_back(
          {Subject::kVm, i, "guarantee",
           fmt::format("the {} guarantee of '{}' cannot be unlimited", to_string(direction), fleet.vms[i].name)});
    else if (policy.cap[d] < policy.guarantee[d])
      out.push_back({Subject::kVm, i, "cap",
                     fmt::format("the {} cap of '{}' is {}{}, below its guarantee of {}{}", to_string(direction), name,
                                 format_rate(policy.cap[d]), fleet.said_at("vm " + name + " cap"),
                                 format_rate(policy.guarantee[d]), fleet.said_at("vm " + name + " guarantee"))});
    if (policy.most[d] < policy.least[d])
      out.push_back(
          {Subject::kVm, i, "most",
           fmt::format("'{}' is planned for at most {} {}{}, below its least of {}{}", name,
                       format_rate(policy.most[d]), to_string(direction), fleet.said_at("vm " + name + " most"),
                       format_rate(policy.least[d]), fleet.said_at("vm " + name + " least"))});
  }
}

void check_attachments(const Fleet& fleet, std::vector<Objection>& out) {
  std::set<std::tuple<std::string_view, Segment, MacAddress>> seen;
  for (std::size_t i = 0; i < fleet.vms.size(); ++i) {
    const auto& vm = fleet.vms[i];
    if (vm.attachments.empty()) out.push_back({Subject::kVm, i, "attachments", "a VM needs at least one attachment"});
    for (const auto& attachment : vm.attachments) {
      if (attachment.port.empty()) out.push_back({Subject::kVm, i, "attachments", "an attachment names its port"});
      if (attachment.mac.is_multicast() || attachment.mac == MacAddress{})
        out.push_back({Subject::kVm, i, "attachments",
                       fmt::format("{} is no address of a single station", to_string(attachment.mac))});
      if (!seen.insert({vm.dataplane, attachment.segment, attachment.mac}).second)
        out.push_back({Subject::kVm, i, "attachments",
                       fmt::format("{} is there twice in segment {} of dataplane '{}'", to_string(attachment.mac),
                                   attachment.segment.value, vm.dataplane)});
    }
  }
}

// A sum of rates with a list of its parts for people.
struct Sum {
  unsigned __int128 value = 0;
  std::string parts;

  void add(const Fleet& fleet, const std::string& what, const std::string& name, BytesPerSecond rate) {
    if (rate.value == 0) return;
    value += rate.value;
    parts += fmt::format("{}{} {}{}", parts.empty() ? "" : ", ", name, format_rate(rate),
                         fleet.said_at(what + " guarantee"));
  }
  std::string text() const {
    const auto most = std::min<unsigned __int128>(value, kUnlimited.value - 1);
    return format_rate(BytesPerSecond{static_cast<std::uint64_t>(most)});
  }
};

// What a group's VMs on a dataplane are guaranteed one by one.
Sum own_guarantees(const Fleet& fleet, const Group& group, const Dataplane& dataplane, std::size_t d) {
  Sum sum;
  for (const auto& vm : fleet.vms)
    if (vm.policy.group == group.name && vm.dataplane == dataplane.name)
      sum.add(fleet, "vm " + vm.name, vm.name, vm.policy.guarantee[d]);
  return sum;
}

// A guarantee passes even when the group's cap is used up, so the cap has to have room for all of them.
void check_groups(const Fleet& fleet, std::vector<Objection>& out) {
  for (std::size_t i = 0; i < fleet.groups.size(); ++i) {
    const auto& group = fleet.groups[i];
    for (const auto direction : kBothDirections) {
      const auto cap = group.cap[index(direction)];
      if (group.guarantee[index(direction)] > cap || group.guarantee[index(direction)] == kUnlimited)
        out.push_back(
            {Subject::kGroup, i, "guarantee",
             fmt::format("the {} guarantee of group '{}' is {}, more than its cap of {}", to_string(direction),
                         group.name, format_rate(group.guarantee[index(direction)]), format_rate(cap))});
      for (const auto& dataplane : fleet.dataplanes) {
        const auto sum = own_guarantees(fleet, group, dataplane, index(direction));
        if (sum.value > cap.value)
          out.push_back(
              {Subject::kGroup, i, "cap",
               fmt::format(
                   "the {} cap of group '{}' is {}{}, below what its VMs are guaranteed together on '{}', {}: {}",
                   to_string(direction), group.name, format_rate(cap), fleet.said_at("group " + group.name + " cap"),
                   dataplane.name, sum.text(), sum.parts)});
      }
    }
  }
}

// A group's guarantee counts with what it adds to those of its VMs.
Sum promised(const Fleet& fleet, const Dataplane& dataplane, std::size_t d) {
  Sum sum;
  for (const auto& vm : fleet.vms)
    if (vm.dataplane == dataplane.name) sum.add(fleet, "vm " + vm.name, vm.name, vm.policy.guarantee[d]);
  for (const auto& group : fleet.groups) {
    const bool is_here = std::any_of(fleet.vms.begin(), fleet.vms.end(), [&](const Vm& vm) {
      return vm.policy.group == group.name && vm.dataplane == dataplane.name;
    });
    const auto own = own_guarantees(fleet, group, dataplane, d).value;
    if (is_here && group.guarantee[d].value > own)
      sum.add(fleet, "group " + group.name, fmt::format("group {} besides", group.name),
              BytesPerSecond{group.guarantee[d].value - static_cast<std::uint64_t>(own)});
  }
  return sum;
}

void check_admission(const Fleet& fleet, std::vector<Objection>& out) {
  for (std::size_t i = 0; i < fleet.dataplanes.size(); ++i) {
    const auto& dataplane = fleet.dataplanes[i];
    for (const auto direction : kBothDirections) {
      const auto sum = promised(fleet, dataplane, index(direction));
      const auto capacity = dataplane.capacity(direction);
      const auto most = static_cast<unsigned __int128>(capacity.value) * kGuaranteeablePercent / 100;
      if (sum.value > most)
        out.push_back(
            {Subject::kDataplane, i, "uplinks",
             fmt::format("the {} guarantees on '{}' sum to {}; at most {} % of {}{} can be guaranteed: {}",
                         to_string(direction), dataplane.name, sum.text(), kGuaranteeablePercent, format_rate(capacity),
                         fleet.said_at("dataplane " + dataplane.name + " uplinks"), sum.parts)});
    }
  }
}

void check_hypervisors(const Fleet& fleet, std::vector<Objection>& out) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < fleet.hypervisors.size(); ++i) {
    const auto& host = fleet.hypervisors[i].host;
    const auto& uri = fleet.hypervisors[i].uri;
    if (!seen.insert(host).second)
      out.push_back({Subject::kHypervisor, i, "host", fmt::format("'{}' has a hypervisor already", host)});
    if (uri.empty())
      out.push_back({Subject::kHypervisor, i, "uri", "must be one of libvirt's, such as qemu:///system"});
    if (std::ranges::none_of(fleet.dataplanes, [&](const Dataplane& d) { return d.host == host; }))
      out.push_back({Subject::kHypervisor, i, "host", fmt::format("there is no dataplane with host = '{}'", host)});
  }
}

void check_uuids(const Fleet& fleet, std::vector<Objection>& out) {
  std::map<std::string_view, std::string_view> owners;
  for (std::size_t i = 0; i < fleet.vms.size(); ++i) {
    const auto& vm = fleet.vms[i];
    if (vm.uuid.empty()) continue;
    const auto [first, is_new] = owners.emplace(vm.uuid, vm.name);
    if (!is_new) out.push_back({Subject::kVm, i, "uuid", fmt::format("{} is that of '{}'", vm.uuid, first->second)});
  }
}

}  // namespace

std::vector<Objection> objections(const Fleet& fleet) {
  std::vector<Objection> out;
  check_names(fleet.tiers, Subject::kTier, out);
  check_names(fleet.groups, Subject::kGroup, out);
  check_names(fleet.dataplanes, Subject::kDataplane, out);
  check_names(fleet.vms, Subject::kVm, out);
  for (std::size_t i = 0; i < fleet.tiers.size(); ++i)
    if (std::find(kPlanningQuantiles.begin(), kPlanningQuantiles.end(), fleet.tiers[i].quantile) ==
        kPlanningQuantiles.end())
      out.push_back({Subject::kTier, i, "quantile",
                     fmt::format("{} is not one of {}", fleet.tiers[i].quantile, "0.5, 0.9, 0.95, 0.99, 0.999")});
  for (std::size_t i = 0; i < fleet.dataplanes.size(); ++i)
    if (fleet.dataplanes[i].uplinks.empty())
      out.push_back({Subject::kDataplane, i, "uplinks", "a dataplane needs at least one uplink"});
  for (std::size_t i = 0; i < fleet.vms.size(); ++i) {
    const auto& name = fleet.vms[i].dataplane;
    if (!fleet.dataplane(name))
      out.push_back({Subject::kVm, i, "dataplane", unknown("dataplane", name, fleet.dataplanes)});
    check_policy(fleet, i, out);
  }
  check_attachments(fleet, out);
  check_hypervisors(fleet, out);
  check_uuids(fleet, out);
  check_groups(fleet, out);
  check_admission(fleet, out);
  return out;
}

}  // namespace foreflow::model
