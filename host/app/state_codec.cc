// SPDX-License-Identifier: Apache-2.0
#include "host/app/state_codec.h"

#include <nlohmann/json.hpp>

namespace foreflow::app {
namespace {

using nlohmann::json;

template <typename T>
Result<T> decode(std::string_view text, T (*convert)(const json&)) {
  try {
    return convert(json::parse(text));
  } catch (const json::exception& e) {
    return fail(ErrorCode::kMalformed, e.what());
  }
}

policy::Version version_from(const json& from) {
  return {.number = from.at("number").get<std::uint64_t>(),
          .time = UnixNanos{from.at("time").get<std::int64_t>()},
          .author = from.at("author").get<std::string>(),
          .comment = from.at("comment").get<std::string>(),
          .text = from.at("text").get<std::string>()};
}

json attachment_to(const wire::Attachment& attachment) {
  return {{"port", attachment.port}, {"mac", to_string(attachment.mac)}, {"segment", attachment.segment.value}};
}

wire::Attachment attachment_from(const json& from) {
  const auto mac = parse_mac(from.at("mac").get<std::string>());
  return {from.at("port").get<std::string>(), mac.value_or(MacAddress{}),
          Segment{from.at("segment").get<std::uint32_t>()}};
}

json limit_to(const fabric::Limit& limit) {
  const auto& police = limit.police;
  return {{"vm", police.vm.value},   {"direction", index(police.direction)},
          {"cir", police.cir.value}, {"pir", police.pir.value},
          {"cbs", police.cbs.value}, {"pbs", police.pbs.value},
          {"weight", police.weight}, {"guarantee", limit.guarantee.value},
          {"cap", limit.cap.value},  {"packets", police.packets_per_second},
          {"shape", police.shape},   {"packet_burst", police.packet_burst}};
}

fabric::Limit limit_from(const json& from) {
  const auto number = [&](const char* key) { return from.at(key).get<std::uint64_t>(); };
  return {.police = {.vm = VmId{from.at("vm").get<std::uint32_t>()},
                     .direction = number("direction") == 0 ? Direction::kEgress : Direction::kIngress,
                     .cir = BytesPerSecond{number("cir")},
                     .pir = BytesPerSecond{number("pir")},
                     .cbs = Bytes{number("cbs")},
                     .pbs = Bytes{number("pbs")},
                     .weight = from.at("weight").get<std::uint32_t>(),
                     .packets_per_second = from.value("packets", std::uint64_t{0}),
                     .packet_burst = from.value("packet_burst", std::uint64_t{0}),
                     .shape = from.value("shape", false)},
          .guarantee = BytesPerSecond{number("guarantee")},
          .cap = BytesPerSecond{number("cap")}};
}

json treatment_to(const wire::Treatment& treatment) {
  json to{{"vm", treatment.vm.value}, {"direction", index(treatment.direction)}, {"drop", treatment.drop}};
  const auto& match = treatment.match;
  if (match.category) to["category"] = to_string(*match.category);
  if (match != wire::TrafficMatch{.category = match.category})
    to["match"] = {match.ip_protocol, match.local_port, match.remote_port, to_string(match.remote),
                   match.remote_prefix};
  if (!treatment.steer_port.empty()) to["steer"] = treatment.steer_port;
  if (treatment.idle_seconds != 0) to["idle"] = treatment.idle_seconds;
  if (treatment.dscp) to["dscp"] = *treatment.dscp;
  if (treatment.queue) to["queue"] = *treatment.queue;
  if (treatment.queue_group != 0) to["queue_group"] = treatment.queue_group;
  if (treatment.mirror) to["mirror"] = {{"port", treatment.mirror->port}, {"one_in", treatment.mirror->one_in}};
  return to;
}

wire::Treatment treatment_from(const json& from) {
  wire::Treatment treatment;
  treatment.vm = VmId{from.at("vm").get<std::uint32_t>()};
  treatment.direction = from.at("direction").get<int>() == 0 ? Direction::kEgress : Direction::kIngress;
  if (from.contains("category"))
    treatment.match.category = parse_category(from.at("category").get<std::string>()).value_or(Category::kUnknown);
  if (from.contains("match")) {
    const auto& match = from.at("match");
    treatment.match.ip_protocol = match.at(0).get<std::uint8_t>();
    treatment.match.local_port = match.at(1).get<std::uint16_t>();
    treatment.match.remote_port = match.at(2).get<std::uint16_t>();
    treatment.match.remote = parse_ipv4(match.at(3).get<std::string>()).value_or(Ipv4Address{});
    treatment.match.remote_prefix = match.at(4).get<std::uint8_t>();
  }
  treatment.steer_port = from.value("steer", std::string());
  treatment.idle_seconds = from.value("idle", std::uint32_t{0});
  treatment.drop = from.at("drop").get<bool>();
  if (from.contains("dscp")) treatment.dscp = from.at("dscp").get<std::uint8_t>();
  if (from.contains("queue")) treatment.queue = from.at("queue").get<std::uint8_t>();
  treatment.queue_group = from.value("queue_group", std::uint8_t{0});
  if (from.contains("mirror"))
    treatment.mirror = wire::Mirror{from.at("mirror").at("port").get<std::string>(),
                                    from.at("mirror").at("one_in").get<std::uint32_t>()};
  return treatment;
}

json rule_to(const wire::Intent& rule) {
  return {{"id", rule.id.value},
          {"priority", rule.priority},
          {"demand", static_cast<int>(rule.demand)},
          {"what", treatment_to(std::get<wire::Treatment>(rule.what))}};
}

wire::Intent rule_from(const json& from) {
  return {.id = IntentId{from.at("id").get<std::uint64_t>()},
          .priority = from.at("priority").get<std::uint32_t>(),
          .demand = static_cast<wire::Demand>(from.at("demand").get<std::uint8_t>() % 3),
          .what = treatment_from(from.at("what"))};
}

json bypass_to(const wire::Bypass& bypass) {
  json to{{"vm", bypass.vm.value},
          {"bytes", bypass.least_bytes},
          {"idle", bypass.idle_seconds},
          {"packets", bypass.least_packets}};
  if (bypass.category) to["category"] = to_string(*bypass.category);
  return to;
}

wire::Bypass bypass_from(const json& from) {
  wire::Bypass bypass{.vm = VmId{from.at("vm").get<std::uint32_t>()},
                      .category = std::nullopt,
                      .least_bytes = from.at("bytes").get<std::uint64_t>(),
                      .idle_seconds = from.at("idle").get<std::uint32_t>(),
                      .least_packets = from.value("packets", std::uint32_t{0})};
  if (from.contains("category")) bypass.category = parse_category(from.at("category").get<std::string>());
  return bypass;
}

json queueing_to(const wire::Queueing& queueing) {
  json to{{"longest_us", queueing.longest_us}, {"queues", json::array()}};
  for (const auto& queue : queueing.queues)
    to["queues"].push_back({{"strict", queue.strict}, {"weight", queue.weight}});
  return to;
}

wire::Queueing queueing_from(const json& from) {
  wire::Queueing queueing{.longest_us = from.at("longest_us").get<std::uint32_t>()};
  for (std::size_t at = 0; at < queueing.queues.size(); ++at) {
    const auto& queue = from.at("queues").at(at);
    queueing.queues[at] = {queue.at("strict").get<bool>(), queue.at("weight").get<std::uint32_t>()};
  }
  return queueing;
}

json group_to(const wire::GroupSpec& group) {
  return {{"name", group.name},
          {"egress", group.cap[0].value},
          {"ingress", group.cap[1].value},
          {"egress_burst", group.burst[0].value},
          {"ingress_burst", group.burst[1].value}};
}

wire::GroupSpec group_from(const json& from) {
  const auto number = [&](const char* key) { return from.at(key).get<std::uint64_t>(); };
  return {.name = from.at("name").get<std::string>(),
          .cap = {BytesPerSecond{number("egress")}, BytesPerSecond{number("ingress")}},
          .burst = {Bytes{number("egress_burst")}, Bytes{number("ingress_burst")}}};
}

json uplink_to(const wire::UplinkSpec& uplink) {
  json to{{"port", uplink.port}, {"egress", uplink.capacity[0].value}, {"ingress", uplink.capacity[1].value}};
  if (uplink.queueing) to["queueing"] = queueing_to(*uplink.queueing);
  if (!uplink.tunnel) return to;
  auto& tunnel = to["tunnel"] = {{"kind", static_cast<int>(uplink.tunnel->kind)},
                                 {"local", to_string(uplink.tunnel->local)},
                                 {"next_hop", to_string(uplink.tunnel->next_hop)},
                                 {"udp_port", uplink.tunnel->udp_port},
                                 {"remotes", json::array()}};
  for (const auto& remote : uplink.tunnel->remotes) tunnel["remotes"].push_back(to_string(remote));
  return to;
}

wire::UplinkSpec uplink_from(const json& from) {
  wire::UplinkSpec uplink{
      from.at("port").get<std::string>(),
      {BytesPerSecond{from.at("egress").get<std::uint64_t>()}, BytesPerSecond{from.at("ingress").get<std::uint64_t>()}},
      std::nullopt,
      std::nullopt};
  if (from.contains("queueing")) uplink.queueing = queueing_from(from.at("queueing"));
  if (!from.contains("tunnel")) return uplink;
  const auto& tunnel = from.at("tunnel");
  auto& to = uplink.tunnel.emplace();
  to.kind = tunnel.at("kind").get<int>() == 0 ? wire::TunnelKind::kVxlan : wire::TunnelKind::kGeneve;
  to.local = parse_ipv4(tunnel.at("local").get<std::string>()).value_or(Ipv4Address{});
  to.next_hop = parse_mac(tunnel.at("next_hop").get<std::string>()).value_or(MacAddress{});
  to.udp_port = tunnel.at("udp_port").get<std::uint16_t>();
  for (const auto& remote : tunnel.at("remotes"))
    to.remotes.push_back(parse_ipv4(remote.get<std::string>()).value_or(Ipv4Address{}));
  return uplink;
}

fabric::Installed installed_from(const json& from) {
  fabric::Installed installed{Generation{from.at("generation").get<std::uint64_t>()}, {}};
  auto& target = installed.target;
  target.device = from.at("device").get<std::string>();
  target.signature_set = from.at("signature_set").get<std::string>();
  installed.signature_revision = from.value("signature_revision", std::uint64_t{0});
  for (const auto& uplink : from.at("uplinks")) target.uplinks.push_back(uplink_from(uplink));
  if (from.contains("groups"))
    for (const auto& group : from.at("groups")) target.groups.push_back(group_from(group));
  for (const auto& vm : from.at("vms")) {
    wire::VmSpec spec{VmId{vm.at("id").get<std::uint32_t>()},
                      vm.at("name").get<std::string>(),
                      {},
                      vm.at("allow_foreign_mac").get<bool>(),
                      vm.value("group", std::string())};
    for (const auto& attachment : vm.at("attachments")) spec.attachments.push_back(attachment_from(attachment));
    target.vms.push_back(std::move(spec));
  }
  for (const auto& limit : from.at("limits")) target.limits.push_back(limit_from(limit));
  if (from.contains("treatments"))
    for (const auto& one : from.at("treatments")) target.treatments.push_back(treatment_from(one));
  if (from.contains("rules"))
    for (const auto& one : from.at("rules")) target.rules.push_back(rule_from(one));
  if (from.contains("bypasses"))
    for (const auto& one : from.at("bypasses")) target.bypasses.push_back(bypass_from(one));
  return installed;
}

}  // namespace

std::string encode_version(const policy::Version& version) {
  const json to{{"number", version.number},
                {"time", version.time.value},
                {"author", version.author},
                {"comment", version.comment},
                {"text", version.text}};
  // Texts are an operator's: bytes that are no UTF-8 are replaced rather than refused after all checks.
  return to.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<policy::Version> decode_version(std::string_view text) { return decode(text, version_from); }

std::string encode_installed(const fabric::Installed& installed) {
  const auto& target = installed.target;
  json to{{"generation", installed.generation.value},
          {"device", target.device},
          {"signature_set", target.signature_set},
          {"signature_revision", installed.signature_revision},
          {"uplinks", json::array()},
          {"vms", json::array()},
          {"groups", json::array()},
          {"limits", json::array()},
          {"treatments", json::array()},
          {"bypasses", json::array()},
          {"rules", json::array()}};
  for (const auto& uplink : target.uplinks) to["uplinks"].push_back(uplink_to(uplink));
  for (const auto& group : target.groups) to["groups"].push_back(group_to(group));
  for (const auto& vm : target.vms) {
    json spec{{"id", vm.id.value}, {"name", vm.name}, {"allow_foreign_mac", vm.allow_foreign_mac}, {"group", vm.group}};
    spec["attachments"] = json::array();
    for (const auto& attachment : vm.attachments) spec["attachments"].push_back(attachment_to(attachment));
    to["vms"].push_back(std::move(spec));
  }
  for (const auto& limit : target.limits) to["limits"].push_back(limit_to(limit));
  for (const auto& treatment : target.treatments) to["treatments"].push_back(treatment_to(treatment));
  for (const auto& bypass : target.bypasses) to["bypasses"].push_back(bypass_to(bypass));
  for (const auto& rule : target.rules) to["rules"].push_back(rule_to(rule));
  return to.dump();
}

Result<fabric::Installed> decode_installed(std::string_view text) { return decode(text, installed_from); }

}  // namespace foreflow::app
