// SPDX-License-Identifier: Apache-2.0
#include "dataplane/config/config.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "common/address.h"
#include "common/toml_reader.h"
#include "common/wire/intents.h"

namespace foreflow::config {
namespace {

constexpr std::size_t kMostPorts = 32;  // RTE_MAX_ETHPORTS of Debian's DPDK
constexpr std::uint32_t kMostWorkers = 63;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

void read_name(TomlTable& table, std::string_view key, std::string& out) {
  table.require(key);
  table.read(key, out);
  if (table.has(key) && !is_name(out))
    table.error(key, fmt::format("'{}' is not a name: 1 to 63 letters, digits, '-', '_' or '.'", out));
}

ClockConfig read_clock(TomlTable table) {
  ClockConfig clock;
  table.read_word("source", clock.source, {{"wall", ClockSource::kWall}, {"capture", ClockSource::kCapture}});
  table.read("speed", clock.speed);
  if (clock.speed < 0) table.error("speed", "expected 0 (as fast as possible) or a positive factor of real time");
  table.finish();
  return clock;
}

EalConfig read_eal(TomlTable table) {
  EalConfig eal;
  table.read("hugepages", eal.hugepages);
  table.read("memory_mb", eal.memory_mb, 64, 1u << 20);
  table.read("extra", eal.extra);
  table.finish();
  return eal;
}

ManagerConfig read_manager(TomlTable table) {
  ManagerConfig manager;
  for (const auto* key : {"address", "ca", "certificate", "key"}) table.require(key);
  table.read("address", manager.address);
  if (const auto address = parse_peer_address(manager.address); table.has("address") && !address)
    table.error("address", address.error().message);
  table.read("server_name", manager.server_name);
  table.read("ca", manager.ca);
  table.read("certificate", manager.certificate);
  table.read("key", manager.key);
  table.finish();
  return manager;
}

FlowConfig read_flow(TomlTable table) {
  FlowConfig flow;
  table.read("capacity", flow.capacity, 0u, 1u << 26);
  if (flow.capacity != 0 && flow.capacity < 1024)
    table.error("capacity", "expected at least 1024, or 0 to follow no flows at all");
  table.read("most_per_vm", flow.most_per_vm, 1u, 1u << 26);
  std::uint64_t idle_ns = flow.idle_seconds * kNanosPerSecond;
  table.read("idle", idle_ns, parse_duration);
  if (idle_ns < kNanosPerSecond || idle_ns > 86'400 * kNanosPerSecond)
    table.error("idle", "expected 1s to 1d");
  else
    flow.idle_seconds = static_cast<std::uint32_t>(idle_ns / kNanosPerSecond);
  table.finish();
  return flow;
}

ClassifyConfig read_classify(TomlTable table) {
  ClassifyConfig classify;
  table.read("buffers", classify.buffers, 0u, 65'534u);
  table.read("buffers_per_vm", classify.buffers_per_vm, 0u, 65'534u);
  table.read("most_payloads", classify.most_payloads, 1u, 31u);
  table.read("most_bytes", classify.most_bytes, parse_bytes);
  table.read("fingerprints", classify.fingerprints);
  if (classify.most_bytes.value == 0 || classify.most_bytes.value > (1u << 20))
    table.error("most_bytes", "expected 1 byte to 1MiB");
  table.finish();
  return classify;
}

PortConfig read_port(TomlTable& table) {
  PortConfig port;
  read_name(table, "name", port.name);
  table.require("device");
  table.read("device", port.device);
  if (port.device.starts_with("net_vhost") && port.device.find("tso=1") != std::string::npos)
    table.error("device", "tso=1 lets the guest send segments that nobody here cuts; leave it out");
  table.read("netdev", port.netdev);
  table.read_word("role", port.role, {{"vm", PortRole::kVm}, {"uplink", PortRole::kUplink}});
  table.read("queues", port.queues, 0u, kMostWorkers);
  table.read("queue_groups", port.queue_groups, 0u, wire::kMostQueueGroups);
  table.read("mtu", port.mtu, 576u, 9600u);
  table.finish();
  return port;
}

void read_ports(TomlTable& root, Config& config) {
  auto tables = root.tables("port");
  if (tables.empty() && !root.has("port")) root.error("", "no [[port]]; name at least one ethdev");
  if (tables.size() > kMostPorts)
    root.error("port", fmt::format("{} ports; DPDK as packaged has {} at most, let VMs share ports", tables.size(),
                                   kMostPorts));
  std::set<std::string> names;
  std::set<std::string> netdevs;
  std::size_t uplinks = 0;
  for (auto& table : tables) {
    const auto port = read_port(table);
    if (!names.insert(port.name).second) table.error("name", fmt::format("'{}' is used twice", port.name));
    if (!netdevs.insert(port.device + " " + port.netdev).second)
      table.error("device", fmt::format("'{}' is used twice; give a 'netdev' to tell them apart", port.device));
    if (port.role == PortRole::kUplink && ++uplinks == 2)
      table.error("role", "a second uplink; join them into one with DPDK's net_bonding");
    config.ports.push_back(port);
  }
}

// A worker polls all the time: two on one CPU would take turns by the slice of the scheduler. Control mostly sleeps and
// may share.
void read_cpus(TomlTable& root, Config& config) {
  root.read("cpus", config.cpus);
  if (config.cpus.empty()) return;
  if (config.cpus.size() != config.workers + 1)
    root.error("cpus", fmt::format("{} CPUs for {} workers; give one for control and one for each worker",
                                   config.cpus.size(), config.workers));
  std::set<std::uint32_t> polled;
  for (std::size_t i = 1; i < config.cpus.size(); ++i)
    if (!polled.insert(config.cpus[i]).second)
      root.error("cpus", fmt::format("CPU {} is given to two workers; each polls one of its own", config.cpus[i]));
}

void resolve_paths(Config& config, const std::filesystem::path& base) {
  for (auto* path :
       {&config.state_dir, &config.signatures, &config.manager.ca, &config.manager.certificate, &config.manager.key})
    if (!path->empty() && path->is_relative()) *path = base / *path;
}

Result<Config> read(TomlDocument document) {
  Config config;
  auto& root = document.root();
  read_name(root, "id", config.id);
  root.read("state_dir", config.state_dir);
  root.read("workers", config.workers, 1u, kMostWorkers);
  read_cpus(root, config);
  root.read("idle_sleep", config.idle_sleep);
  root.read("signatures", config.signatures);
  root.read("spool_size", config.spool_size, parse_bytes);
  if (config.spool_size.value < (1u << 20)) root.error("spool_size", "expected at least 1MiB");
  if (auto table = root.table("clock")) config.clock = read_clock(*table);
  if (auto table = root.table("eal")) config.eal = read_eal(*table);
  root.require("manager");
  if (auto table = root.table("manager")) config.manager = read_manager(*table);
  if (auto table = root.table("flow")) config.flow = read_flow(*table);
  if (auto table = root.table("classify")) config.classify = read_classify(*table);
  read_ports(root, config);
  if (config.clock.source == ClockSource::kCapture &&
      std::none_of(config.ports.begin(), config.ports.end(),
                   [](const PortConfig& port) { return port.device.starts_with("net_pcap"); }))
    root.error("clock", "source is 'capture', but no port is a net_pcap device");
  root.finish();
  if (const auto status = document.check(); !status) return tl::unexpected(status.error());
  return config;
}

}  // namespace

Result<Config> parse(std::string_view text, std::string_view name) {
  return TomlDocument::parse(text, name).and_then(read);
}

Result<Config> load(const std::filesystem::path& file) {
  auto config = TomlDocument::load(file).and_then(read);
  if (config) resolve_paths(*config, std::filesystem::absolute(file).parent_path());
  return config;
}

}  // namespace foreflow::config
