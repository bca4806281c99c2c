// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/resolve.h"

#include <algorithm>
#include <map>
#include <set>

namespace foreflow::pipeline {

offload::IntentSet resolve_intents(const wire::DesiredState& desired, std::span<const port::Port> ports) {
  std::map<VmId, std::vector<offload::ResolvedAttachment>> attachments;
  std::map<Segment, std::set<std::uint16_t>> ports_of;
  std::set<std::uint16_t> uplinks;
  for (const auto& port : ports)
    if (port.role == config::PortRole::kUplink) uplinks.insert(port.id);
  for (const auto& vm : desired.vms) {
    for (const auto& attachment : vm.attachments) {
      const auto port =
          std::find_if(ports.begin(), ports.end(), [&](const auto& p) { return p.name == attachment.port; });
      if (port == ports.end() || port->role != config::PortRole::kVm) continue;
      attachments[vm.id].push_back({port->id, attachment.mac, attachment.segment});
      ports_of[attachment.segment].insert(port->id);
    }
  }

  offload::IntentSet intents;
  for (const auto& intent : desired.intents) {
    offload::ResolvedIntent resolved{intent, {}, {}};
    const auto vm = std::visit([](const auto& what) { return what.vm; }, intent.what);
    if (const auto found = attachments.find(vm); found != attachments.end()) resolved.attachments = found->second;
    auto sources = uplinks;
    for (const auto& attachment : resolved.attachments) sources.merge(std::set(ports_of[attachment.segment]));
    for (const auto& attachment : resolved.attachments) sources.erase(attachment.port_id);
    resolved.source_ports.assign(sources.begin(), sources.end());
    intents.emplace(intent.id, std::move(resolved));
  }
  return intents;
}

}  // namespace foreflow::pipeline
