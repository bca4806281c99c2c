// SPDX-License-Identifier: Apache-2.0
#include "host/model/config_fleet.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/wire/limits.h"
#include "host/model/config_policy.h"

namespace foreflow::model {
namespace {

constexpr std::uint32_t kLargestVlan = 4094;
constexpr std::uint32_t kVnis = 1u << 24;

Result<MacAddress> mac_from(std::string_view text) {
  if (const auto mac = parse_mac(text)) return *mac;
  return fail(ErrorCode::kInvalidConfig, fmt::format("'{}' is not a MAC address such as 52:54:00:00:00:01", text));
}

Result<Ipv4Address> ipv4_from(std::string_view text) {
  if (const auto address = parse_ipv4(text)) return *address;
  return fail(ErrorCode::kInvalidConfig, fmt::format("'{}' is not an IPv4 address such as 192.0.2.1", text));
}

// "6B2D3F0E-..." -> "6b2d3f0e-...", as hypervisors write it.
Result<std::string> uuid_from(std::string_view text) {
  std::string uuid(text);
  bool good = uuid.size() == 36;
  for (std::size_t i = 0; good && i < uuid.size(); ++i) {
    uuid[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(uuid[i])));
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? uuid[i] == '-' : std::isxdigit(static_cast<unsigned char>(uuid[i])) != 0;
  }
  if (good) return uuid;
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("'{}' is not a UUID such as 6b2d3f0e-0b5e-4d0c-8f0e-3a1f5c7d9e21", text));
}

Hypervisor read_hypervisor(TomlTable& table) {
  Hypervisor hypervisor;
  for (const auto* key : {"host", "uri"}) table.require(key);
  table.read("host", hypervisor.host);
  table.read("uri", hypervisor.uri);
  table.read("period", hypervisor.period_ns, parse_duration);
  if (hypervisor.period_ns < kNanosPerSecond || hypervisor.period_ns > 300 * kNanosPerSecond)
    table.error("period", "must be 1s to 5m");
  table.finish();
  return hypervisor;
}

wire::TunnelSpec read_tunnel(TomlTable table) {
  wire::TunnelSpec tunnel;
  for (const auto* key : {"local", "next_hop", "remotes"}) table.require(key);
  table.read_word("kind", tunnel.kind, {{"vxlan", wire::TunnelKind::kVxlan}, {"geneve", wire::TunnelKind::kGeneve}});
  table.read("local", tunnel.local, ipv4_from);
  table.read("next_hop", tunnel.next_hop, mac_from);
  std::uint32_t port = tunnel.kind == wire::TunnelKind::kVxlan ? 4789 : 6081;
  table.read("udp_port", port, 1, 65'535);
  tunnel.udp_port = static_cast<std::uint16_t>(port);
  std::vector<std::string> remotes;
  table.read("remotes", remotes);
  for (const auto& text : remotes) {
    const auto remote = ipv4_from(text);
    if (!remote)
      table.error("remotes", remote.error().message);
    else if (*remote == tunnel.local || std::ranges::find(tunnel.remotes, *remote) != tunnel.remotes.end())
      table.error("remotes", fmt::format("{} is {}; name each other end once", text,
                                         *remote == tunnel.local ? "this end" : "named twice"));
    else
      tunnel.remotes.push_back(*remote);
  }
  if (tunnel.remotes.size() > wire::kMostRemotes)
    table.error("remotes", fmt::format("{} of them, {} at most", tunnel.remotes.size(), wire::kMostRemotes));
  table.finish();
  return tunnel;
}

wire::UplinkSpec read_uplink(TomlTable& table) {
  wire::UplinkSpec uplink;
  for (const auto* key : {"port", "capacity"}) table.require(key);
  table.read("port", uplink.port);
  read_rates(table, "capacity", uplink.capacity);
  if (auto tunnel = table.table("tunnel")) uplink.tunnel = read_tunnel(std::move(*tunnel));
  table.finish();
  return uplink;
}

Dataplane read_dataplane(TomlTable& table) {
  Dataplane dataplane;
  table.require("name");
  table.read("name", dataplane.name);
  dataplane.host = dataplane.name;
  table.read("host", dataplane.host);
  table.read("signature_set", dataplane.signature_set);
  for (auto& uplink : table.tables("uplinks")) dataplane.uplinks.push_back(read_uplink(uplink));
  table.finish();
  return dataplane;
}

// `segment = 100` is a VLAN (0 = untagged); `vni = 5000` an overlay network.
wire::Attachment read_attachment(TomlTable& table) {
  wire::Attachment attachment;
  for (const auto* key : {"port", "mac"}) table.require(key);
  table.read("port", attachment.port);
  table.read("mac", attachment.mac, mac_from);
  table.read("segment", attachment.segment.value, 0, kLargestVlan);
  if (table.has("vni") && table.has("segment")) table.error("vni", "an attachment has either a segment or a vni");
  std::uint32_t vni = 0;
  table.read("vni", vni, 0, kVnis - 1);
  if (table.has("vni")) attachment.segment.value = Segment::kVniBase + vni;
  table.finish();
  return attachment;
}

// CPUs as a number: 1.5 are 1,500,000 microseconds per second.
Vm read_vm(TomlTable& table, const std::string& default_tier) {
  Vm vm;
  for (const auto* key : {"name", "dataplane"}) table.require(key);
  table.read("name", vm.name);
  table.read("dataplane", vm.dataplane);
  table.read("allow_foreign_mac", vm.allow_foreign_mac);
  table.read("uuid", vm.uuid, uuid_from);
  for (auto& attachment : table.tables("attachments")) vm.attachments.push_back(read_attachment(attachment));
  vm.policy.tier = default_tier;
  vm.policy = patched(vm.policy, read_policy(table));
  table.finish();
  return vm;
}

}  // namespace

Fleet read_fleet(TomlTable& root) {
  auto tiers = root.tables("tier");
  auto groups = root.tables("group");
  auto dataplanes = root.tables("dataplane");
  auto hypervisors = root.tables("hypervisor");
  auto vms = root.tables("vm");
  Fleet fleet;
  for (auto& table : tiers) fleet.tiers.push_back(read_tier(table));
  if (fleet.tiers.empty()) fleet.tiers = {{"standard", 0, .95}};
  for (auto& table : groups) fleet.groups.push_back(read_group(table));
  for (auto& table : dataplanes) fleet.dataplanes.push_back(read_dataplane(table));
  for (auto& table : hypervisors) fleet.hypervisors.push_back(read_hypervisor(table));
  for (auto& table : vms) fleet.vms.push_back(read_vm(table, fleet.tiers.back().name));
  for (std::size_t i = 0; i < groups.size(); ++i)
    note_origins(groups[i], "group " + fleet.groups[i].name, fleet.origins);
  for (std::size_t i = 0; i < dataplanes.size(); ++i)
    note_origins(dataplanes[i], "dataplane " + fleet.dataplanes[i].name, fleet.origins);
  for (std::size_t i = 0; i < vms.size(); ++i) note_origins(vms[i], "vm " + fleet.vms[i].name, fleet.origins);
  // What is wrong already stays at its default in `fleet`: an objection to that would only mislead.
  std::vector<std::pair<TomlTable, Objection>> founded;
  for (auto& objection : objections(fleet)) {
    auto& tables = objection.subject == Objection::Subject::kTier         ? tiers
                   : objection.subject == Objection::Subject::kGroup      ? groups
                   : objection.subject == Objection::Subject::kDataplane  ? dataplanes
                   : objection.subject == Objection::Subject::kHypervisor ? hypervisors
                                                                          : vms;
    if (objection.index < tables.size() && !tables[objection.index].is_wrong(objection.key))
      founded.emplace_back(tables[objection.index], std::move(objection));
  }
  for (auto& [table, objection] : founded) table.error(objection.key, objection.reason);
  return fleet;
}

}  // namespace foreflow::model
