// SPDX-License-Identifier: Apache-2.0
#include "host/policy/read_rule.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "common/wire/limits.h"

namespace foreflow::policy {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::uint64_t kLongestIdle = 1u << 20;  // seconds

template <typename T>
std::optional<T> number(std::string_view text, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

Result<std::uint8_t> parse_protocol(std::string_view text) {
  if (text == "tcp") return kTcp;
  if (text == "udp") return kUdp;
  if (text == "icmp") return std::uint8_t{1};
  if (const auto value = number<std::uint8_t>(text, 255); value && *value != 0) return *value;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is no protocol; 'tcp', 'udp', 'icmp' and '1' to '255' are", text));
}

struct Network {
  Ipv4Address address;
  std::uint8_t prefix = 0;
};

Result<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ipv4(text.substr(0, slash));
  const auto prefix = slash == std::string_view::npos ? std::optional<std::uint8_t>(32)
                                                      : number<std::uint8_t>(text.substr(slash + 1), 32);
  if (address && prefix && *prefix != 0) return Network{*address, *prefix};
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is no network; '192.0.2.1' and '192.0.2.0/24' are", text));
}

void read_match(TomlTable& table, wire::TrafficMatch& match) {
  table.read("protocol", match.ip_protocol, parse_protocol);
  for (const auto& [key, port] : {std::pair{"local_port", &match.local_port}, {"remote_port", &match.remote_port}}) {
    std::uint32_t value = 0;
    table.read(key, value, 1, 65'535);
    *port = static_cast<std::uint16_t>(value);
    if (value != 0 && match.ip_protocol != kTcp && match.ip_protocol != kUdp)
      table.error(key, "only TCP and UDP have ports: give `protocol`, too");
  }
  Network network;
  table.read("remote", network, parse_network);
  match.remote = network.address;
  match.remote_prefix = network.prefix;
}

void read_direction(TomlTable& table, TrafficRule& rule) {
  auto direction = Direction::kEgress;
  table.read_word("direction", direction, {{"egress", Direction::kEgress}, {"ingress", Direction::kIngress}});
  if (!table.has("direction")) return;
  rule.direction = direction;
  if (direction == Direction::kEgress) return;
  for (const auto* key : {"dscp", "queue"})
    if (table.has(key)) table.error(key, "is for what VMs send; direction egress would be right");
}

void read_actions(TomlTable& table, wire::Treatment& what) {
  table.read("drop", what.drop);
  read_dscp(table, what.dscp);
  read_ways(table, what.queue, what.queue_group, what.mirror);
  table.read("steer", what.steer_port);
  if (table.has("steer") && (what.steer_port.empty() || what.steer_port.size() > wire::kLongestName))
    table.error("steer", "names a port of the VMs' dataplanes");
  std::uint64_t idle = 0;
  table.read("idle", idle, parse_duration);
  what.idle_seconds = static_cast<std::uint32_t>(std::min(idle / kNanosPerSecond, kLongestIdle));
  if (table.has("idle") && (idle % kNanosPerSecond != 0 || idle == 0 || idle / kNanosPerSecond > kLongestIdle))
    table.error("idle", "must be 1s to 12d in whole seconds");
  if (!what.drop) return;
  for (const auto* key : {"dscp", "queue", "queue_group", "steer"})
    if (table.has(key)) table.error(key, "what is dropped goes nowhere; give `drop` or this");
}

}  // namespace

Places places_of(const TomlTable& table) {
  Places places{{"", table.where("")}};
  for (const auto& key : table.keys()) places[key] = table.where(key);
  return places;
}

void read_dscp(TomlTable& table, std::optional<std::uint8_t>& dscp) {
  std::uint32_t value = 0;
  table.read("dscp", value, 0, 63);
  if (table.has("dscp")) dscp = static_cast<std::uint8_t>(value);
}

void read_ways(TomlTable& table, std::optional<std::uint8_t>& queue, std::uint8_t& queue_group,
               std::optional<wire::Mirror>& mirror) {
  std::uint32_t number = 0;
  table.read("queue", number, 0, wire::kLastQueue);
  if (table.has("queue")) queue = static_cast<std::uint8_t>(number);
  std::uint32_t group = 0;
  table.read("queue_group", group, 1, wire::kMostQueueGroups);
  queue_group = static_cast<std::uint8_t>(group);
  wire::Mirror copies;
  table.read("mirror", copies.port);
  table.read("mirror_one_in", copies.one_in, 1, UINT32_MAX);
  if (table.has("mirror") && (copies.port.empty() || copies.port.size() > wire::kLongestName))
    table.error("mirror", "names a port of the VMs' dataplanes");
  if (table.has("mirror")) mirror = copies;
  if (table.has("mirror_one_in") && !mirror) table.error("mirror_one_in", "without `mirror` nothing is copied");
  if (queue && queue_group != 0)
    table.error("queue_group", "what leaves by isolated queues does not wait in the uplink's; give one of the two");
}

TrafficRule read_rule(TomlTable& table) {
  TrafficRule rule;
  table.require("name");
  table.read("name", rule.name);
  table.read("vms", rule.vms);
  table.read("priority", rule.priority, 0, 1'000);
  table.read_word("demand", rule.demand,
                  {{"require_hw", wire::Demand::kRequireHardware},
                   {"prefer_hw", wire::Demand::kPreferHardware},
                   {"software", wire::Demand::kSoftware}});
  read_match(table, rule.what.match);
  read_direction(table, rule);
  read_actions(table, rule.what);
  rule.places = places_of(table);
  table.finish();
  return rule;
}

// FNV-1a, folded.
std::uint32_t number_of(const TrafficRule& rule) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : rule.name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return (hash ^ (hash >> 22)) % model::kRuleNumbers;
}

void refuse_shared_numbers(std::vector<TomlTable>& tables, const std::vector<TrafficRule>& rules) {
  std::map<std::uint32_t, std::size_t> seen;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto [first, is_new] = seen.try_emplace(number_of(rules[i]), i);
    if (!is_new && rules[first->second].name != rules[i].name)
      tables[i].error("name", fmt::format("'{}' and '{}' fall on the same number; another name would be right",
                                          rules[i].name, rules[first->second].name));
  }
}

}  // namespace foreflow::policy
