// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/intent_rules.h"

#include <algorithm>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "dataplane/offload/groups.h"
#include "dataplane/offload/steering.h"

namespace foreflow::offload {
namespace {

using wire::Police;
using wire::Treatment;

// The intent's own narrowing, once per IP version that it can mean. `from`: the VM's end is the source.
std::vector<HeaderMatch> headers_of(const Treatment& treatment, bool from_vm) {
  const auto& match = treatment.match;
  if (match.ip_protocol == 0 && match.remote_prefix == 0 && !treatment.dscp) return {HeaderMatch{}};
  HeaderMatch headers{.ip_version = 4, .protocol = match.ip_protocol};
  headers.source_port = from_vm ? match.local_port : match.remote_port;
  headers.destination_port = from_vm ? match.remote_port : match.local_port;
  auto six = headers;
  six.ip_version = 6;
  auto& remote = from_vm ? headers.destination : headers.source;
  std::copy(match.remote.octets.begin(), match.remote.octets.end(), remote.begin());
  (from_vm ? headers.destination_prefix : headers.source_prefix) = match.remote_prefix;
  if (match.remote_prefix != 0) return {headers};
  remote = {};
  return {headers, six};
}

Status check_treatment(const Treatment& treatment, std::uint32_t priority) {
  if (treatment.match.category)
    return fail(ErrorCode::kUnsupported, "applications are recognised in the pipeline, the device does not know them");
  if (priority > kWeakestTreatment)
    return fail(ErrorCode::kUnsupported,
                fmt::format("priority {} is beyond the device's weakest, {}", priority, kWeakestTreatment));
  return {};
}

Status check_police(const Police& police) {
  if (police.pir >= police.cir) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("peak rate {} is below the committed rate {}",
                                                       format_rate(police.pir), format_rate(police.cir)));
}

std::string address_text(const HeaderMatch& match, const std::array<std::uint8_t, 16>& address, std::uint8_t prefix) {
  if (match.ip_version == 4)
    return fmt::format("{}.{}.{}.{}/{}", address[0], address[1], address[2], address[3], prefix);
  std::string text;
  for (std::size_t i = 0; i < address.size(); i += 2)
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", address[i] << 8 | address[i + 1]);
  return fmt::format("{}/{}", text, prefix);
}

std::string describe(const HeaderMatch& match) {
  std::string text;
  if (match.ip_version != 0) text += fmt::format(", IPv{}", match.ip_version);
  if (match.protocol != 0) text += fmt::format(", protocol {}", match.protocol);
  if (match.source_prefix != 0) text += ", from " + address_text(match, match.source, match.source_prefix);
  if (match.source_port != 0) text += fmt::format(", source port {}", match.source_port);
  if (match.destination_prefix != 0) text += ", to " + address_text(match, match.destination, match.destination_prefix);
  if (match.destination_port != 0) text += fmt::format(", destination port {}", match.destination_port);
  if (match.within_connection) text += ", no SYN, FIN or RST";
  return text;
}

}  // namespace

std::uint32_t group_of(const ResolvedIntent& intent) {
  const bool from_vm = wire::direction_of(intent.intent) == Direction::kEgress;
  if (std::holds_alternative<Police>(intent.intent.what)) return from_vm ? kFromVmGroup : kToVmGroup;
  return from_vm ? kTreatFromVmGroup : kTreatToVmGroup;
}

std::vector<RuleMatch> matches_of(const ResolvedIntent& intent) {
  const bool from_vm = wire::direction_of(intent.intent) == Direction::kEgress;
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  const auto all_headers = treatment == nullptr ? std::vector{HeaderMatch{}} : headers_of(*treatment, from_vm);
  std::set<RuleMatch> matches;
  const auto add = [&](RuleMatch match) {
    for (const auto& headers : all_headers) {
      match.headers = headers;
      matches.insert(match);
    }
  };
  for (const auto& attachment : intent.attachments) {
    if (from_vm) {
      add({.port_id = attachment.port_id, .source = attachment.mac, .segment = attachment.segment});
      continue;
    }
    for (const auto port : intent.source_ports)
      add({.port_id = port, .destination = attachment.mac, .segment = attachment.segment});
  }
  return {matches.begin(), matches.end()};
}

bool drops_all(const ResolvedIntent& intent) {
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  return treatment != nullptr && treatment->drop;
}

bool steers(const ResolvedIntent& intent) {
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  return treatment != nullptr && (!treatment->steer_port.empty() || treatment->queue_group != 0 || treatment->queue);
}

std::uint32_t idle_seconds_of(const ResolvedIntent& intent) {
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  return treatment == nullptr ? 0 : treatment->idle_seconds;
}

RuleActions actions_of(const ResolvedIntent& intent, const RuleMatch& match) {
  RuleActions actions{.count = true};
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  if (treatment == nullptr) return actions;
  actions.idle_seconds = treatment->idle_seconds;
  if (match.headers.ip_version != 0) actions.dscp = treatment->dscp;
  if (steers(intent))
    actions.metadata = MetadataField{.offset = steering_offset(treatment->direction),
                                     .width = steering_bits(treatment->direction),
                                     .value = mark_of({intent.steer_port, treatment->queue_group, treatment->queue})};
  actions.mirror_port = intent.mirror_port;
  if (treatment->mirror) actions.mirror_one_in = treatment->mirror->one_in;
  return actions;
}

Status check_expressible(const ResolvedIntent& intent) {
  constexpr std::uint32_t kLargestVlan = 4094;
  const auto* treatment = std::get_if<Treatment>(&intent.intent.what);
  auto said = treatment != nullptr ? check_treatment(*treatment, intent.intent.priority)
                                   : check_police(std::get<Police>(intent.intent.what));
  if (!said) return said;
  if (intent.allow_foreign_mac && wire::direction_of(intent.intent) == Direction::kEgress)
    return fail(ErrorCode::kUnsupported, "the VM may send from any MAC address, rules tell VMs apart by it");
  for (const auto& attachment : intent.attachments) {
    if (attachment.segment.value > kLargestVlan)
      return fail(ErrorCode::kUnsupported, "tunnelled segments are metered in software; rules match VLANs only");
  }
  if (matches_of(intent).empty())
    return fail(ErrorCode::kNotFound,
                fmt::format("VM {} has no port on which rules could match", wire::vm_of(intent.intent).value));
  return {};
}

std::string describe(const RuleMatch& match) {
  std::string text = fmt::format("port {}", match.port_id);
  if (match.source) text += ", source " + to_string(*match.source);
  if (match.destination) text += ", destination " + to_string(*match.destination);
  if (match.segment.value != 0) text += fmt::format(", VLAN {}", match.segment.value);
  return text + describe(match.headers);
}

std::string describe(const RuleActions& actions) {
  std::string text = actions.count ? "COUNT, " : "";
  if (actions.idle_seconds != 0) text += fmt::format("AGE {} s, ", actions.idle_seconds);
  if (actions.dscp) text += fmt::format("DSCP {}, ", *actions.dscp);
  if (actions.metadata)
    text += fmt::format("META {:#04x} at bit {} (the pipeline steers by it), ", actions.metadata->value,
                        actions.metadata->offset);
  if (actions.mirror_port)
    text += fmt::format("SAMPLE 1 in {} to port {}, ", actions.mirror_one_in, *actions.mirror_port);
  return text;
}

}  // namespace foreflow::offload
