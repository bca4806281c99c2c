// SPDX-License-Identifier: Apache-2.0
#include "host/guest/identity.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

namespace foreflow::guest {
namespace {

struct Names {
  std::unordered_map<std::string_view, const model::Vm*> by_uuid;
  std::map<MacAddress, const model::Vm*> by_mac;  // of VMs without a UUID
};

Names names_of(const model::Fleet& fleet, const std::string& host) {
  Names names;
  for (const auto& vm : fleet.vms) {
    const auto* dataplane = fleet.dataplane(vm.dataplane);
    if (!dataplane || dataplane->host != host) continue;
    if (!vm.uuid.empty()) {
      names.by_uuid.emplace(vm.uuid, &vm);
      continue;
    }
    for (const auto& attachment : vm.attachments) names.by_mac.emplace(attachment.mac, &vm);
  }
  return names;
}

const model::Vm* find(const Names& names, const Domain& domain) {
  if (const auto found = names.by_uuid.find(domain.uuid); found != names.by_uuid.end()) return found->second;
  for (const auto& mac : domain.macs)
    if (const auto found = names.by_mac.find(mac); found != names.by_mac.end()) return found->second;
  return nullptr;
}

}  // namespace

Identified identify(const model::Fleet& fleet, const std::string& host, const std::vector<Domain>& domains) {
  const auto names = names_of(fleet, host);
  std::vector<const Domain*> ordered;
  ordered.reserve(domains.size());
  for (const auto& domain : domains) ordered.push_back(&domain);
  std::ranges::sort(ordered, {}, &Domain::uuid);
  Identified result;
  std::map<const model::Vm*, const Domain*> taken;
  for (const auto* domain : ordered) {
    const auto* vm = find(names, *domain);
    if (vm == nullptr) {
      result.unknown.push_back(domain->name);
    } else if (taken.emplace(vm, domain).second) {
      result.pairs.emplace_back(domain, vm);
    } else {
      result.conflicts.push_back(
          fmt::format("{} is domain '{}', so not also '{}'", vm->name, taken.at(vm)->name, domain->name));
    }
  }
  return result;
}

}  // namespace foreflow::guest
