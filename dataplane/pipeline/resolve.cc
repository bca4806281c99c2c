// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/resolve.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace foreflow::pipeline {

namespace {

// Where VMs are, with names resolved to ethdev ids.
struct Places {
  struct Vm {
    std::vector<offload::ResolvedAttachment> attachments;
    bool allow_foreign_mac = false;
    bool in_group = false;
  };
  std::set<std::uint16_t> uplinks;
  bool queued = false;  // one of them has queues
  std::map<VmId, Vm> vms;
  std::map<Segment, std::set<std::uint16_t>> ports;                        // of a segment
  std::map<std::pair<Segment, std::uint16_t>, std::set<VmId>> neighbours;  // on a port, by segment
};

Places find_places(const wire::DesiredState& desired, std::span<const port::Port> ports) {
  Places places;
  for (const auto& port : ports)
    if (port.role == config::PortRole::kUplink) places.uplinks.insert(port.id);
  places.queued = std::ranges::any_of(desired.uplinks, [&](const wire::UplinkSpec& uplink) {
    return has_queues(uplink) && std::ranges::any_of(ports, [&](const port::Port& port) {
             return port.role == config::PortRole::kUplink && port.name == uplink.port;
           });
  });
  for (const auto& vm : desired.vms) {
    auto& place = places.vms[vm.id];
    place.allow_foreign_mac = vm.allow_foreign_mac;
    place.in_group = !vm.group.empty();
    for (const auto& attachment : vm.attachments) {
      const auto port =
          std::find_if(ports.begin(), ports.end(), [&](const auto& p) { return p.name == attachment.port; });
      if (port == ports.end() || port->role != config::PortRole::kVm) continue;
      place.attachments.push_back({port->id, attachment.mac, attachment.segment});
      places.ports[attachment.segment].insert(port->id);
      places.neighbours[{attachment.segment, port->id}].insert(vm.id);
    }
  }
  return places;
}

// Where packets for a VM can enter. Its own port is one of them only if another VM shares it.
std::set<std::uint16_t> source_ports(const Places& places, const Places::Vm& vm) {
  auto sources = places.uplinks;
  for (const auto& attachment : vm.attachments) sources.merge(std::set(places.ports.at(attachment.segment)));
  for (const auto& attachment : vm.attachments)
    if (places.neighbours.at({attachment.segment, attachment.port_id}).size() == 1) sources.erase(attachment.port_id);
  return sources;
}

// The ports that a treatment names.
void name_ports(const wire::Treatment& treatment, std::span<const port::Port> ports,
                offload::ResolvedIntent& resolved) {
  const auto find = [&](const std::string& name) -> std::optional<std::uint16_t> {
    const auto port = std::ranges::find(ports, name, &port::Port::name);
    if (port != ports.end()) return port->id;
    resolved.impossible = fmt::format("this dataplane has no port '{}'", name);
    return std::nullopt;
  };
  if (treatment.mirror) resolved.mirror_port = find(treatment.mirror->port);
  if (treatment.queue_group != 0 &&
      std::ranges::none_of(ports, [&](const port::Port& port) { return port.queue_groups >= treatment.queue_group; }))
    resolved.impossible =
        fmt::format("no port of this dataplane has an isolated queue group {}; [[port]] queue_groups = {} gives it one",
                    treatment.queue_group, treatment.queue_group);
  if (treatment.steer_port.empty()) return;
  resolved.steer_port = find(treatment.steer_port);
  if (treatment.direction == Direction::kIngress)
    resolved.impossible = "only what a VM sends can be led to another port; direction egress would be right";
}

// Only what leaves by an uplink waits.
void name_queue(const wire::Treatment& treatment, offload::ResolvedIntent& resolved) {
  if (!treatment.queue) return;
  if (!resolved.queued)
    resolved.impossible = "no uplink of this dataplane has queues; it needs `queueing` and an egress capacity";
  else if (treatment.direction == Direction::kIngress)
    resolved.impossible = "only what a VM sends waits for the uplink; direction egress would be right";
}

}  // namespace

bool has_queues(const wire::UplinkSpec& uplink) {
  return uplink.queueing && uplink.capacity[index(Direction::kEgress)] != kUnlimited;
}

offload::IntentSet resolve_intents(const wire::DesiredState& desired, std::span<const port::Port> ports) {
  const auto places = find_places(desired, ports);
  offload::IntentSet intents;
  for (const auto& intent : desired.intents) {
    offload::ResolvedIntent resolved{.intent = intent};
    resolved.queued = places.queued;
    if (const auto* treatment = std::get_if<wire::Treatment>(&intent.what)) {
      name_ports(*treatment, ports, resolved);
      name_queue(*treatment, resolved);
    }
    if (const auto vm = places.vms.find(wire::vm_of(intent)); vm != places.vms.end()) {
      const auto sources = source_ports(places, vm->second);
      resolved.attachments = vm->second.attachments;
      resolved.allow_foreign_mac = vm->second.allow_foreign_mac;
      resolved.in_group = vm->second.in_group;
      resolved.source_ports.assign(sources.begin(), sources.end());
    }
    intents.emplace(intent.id, std::move(resolved));
  }
  return intents;
}

}  // namespace foreflow::pipeline
