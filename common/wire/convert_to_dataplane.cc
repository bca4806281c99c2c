// SPDX-License-Identifier: Apache-2.0
// What the manager says.
#include <unordered_set>

#include "common/wire/convert.h"
#include "common/wire/convert_intent.h"
#include "common/wire/ipv4_number.h"
#include "common/wire/limits.h"
#include "common/wire/validate.h"

namespace foreflow::wire {
namespace {

void put(const TunnelSpec& tunnel, v1::TunnelSpec* out) {
  out->set_kind(static_cast<std::uint32_t>(tunnel.kind));
  out->set_local(number_of(tunnel.local));
  out->set_next_hop(std::string(tunnel.next_hop.octets.begin(), tunnel.next_hop.octets.end()));
  out->set_udp_port(tunnel.udp_port);
  for (const auto& remote : tunnel.remotes) out->add_remotes(number_of(remote));
}

TunnelSpec get(const v1::TunnelSpec& in, const Place& place, Validator& validator) {
  TunnelSpec tunnel{.kind = validator.choice<TunnelKind>(place / "kind", in.kind(), kTunnelKinds),
                    .local = ipv4_of(in.local()),
                    .next_hop = validator.mac(place / "next_hop", in.next_hop())};
  tunnel.udp_port = static_cast<std::uint16_t>(validator.within(place / "udp_port", in.udp_port(), 1, 65'535));
  if (validator.count(place / "remotes", static_cast<std::size_t>(in.remotes_size()), kMostRemotes))
    for (const auto remote : in.remotes()) tunnel.remotes.push_back(ipv4_of(remote));
  return tunnel;
}

void put(const Queueing& queueing, v1::Queueing* out) {
  for (const auto& queue : queueing.queues) {
    auto* to = out->add_queues();
    to->set_strict(queue.strict);
    to->set_weight(queue.weight);
  }
  out->set_longest_us(queueing.longest_us);
}

Queueing get(const v1::Queueing& in, const Place& place, Validator& validator) {
  Queueing queueing;
  const auto queues = place / "queues";
  if (validator.count(queues, static_cast<std::size_t>(in.queues_size()), kQueues))
    for (int i = 0; i < in.queues_size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto weight = validator.within(queues[at] / "weight", in.queues(i).weight(), 1, kLargestQueueWeight);
      queueing.queues[at] = {in.queues(i).strict(), static_cast<std::uint32_t>(weight)};
    }
  queueing.longest_us =
      static_cast<std::uint32_t>(validator.within(place / "longest_us", in.longest_us(), 1, kLongestQueueUs));
  return queueing;
}

void put(const UplinkSpec& uplink, v1::UplinkSpec* out) {
  out->set_port(uplink.port);
  out->set_egress_capacity(uplink.capacity[index(Direction::kEgress)].value);
  out->set_ingress_capacity(uplink.capacity[index(Direction::kIngress)].value);
  if (uplink.tunnel) put(*uplink.tunnel, out->mutable_tunnel());
  if (uplink.queueing) put(*uplink.queueing, out->mutable_queueing());
}

UplinkSpec get(const v1::UplinkSpec& in, const Place& place, Validator& validator) {
  UplinkSpec uplink{.port = validator.name(place / "port", in.port()),
                    .capacity = {BytesPerSecond{in.egress_capacity()}, BytesPerSecond{in.ingress_capacity()}}};
  if (in.has_tunnel()) uplink.tunnel = get(in.tunnel(), place / "tunnel", validator);
  if (in.has_queueing()) uplink.queueing = get(in.queueing(), place / "queueing", validator);
  return uplink;
}

void put(const VmSpec& vm, v1::VmSpec* out) {
  out->set_id(vm.id.value);
  out->set_name(vm.name);
  for (const auto& attachment : vm.attachments) {
    auto* to = out->add_attachments();
    to->set_port(attachment.port);
    to->set_mac(std::string(attachment.mac.octets.begin(), attachment.mac.octets.end()));
    to->set_segment(attachment.segment.value);
  }
  out->set_allow_foreign_mac(vm.allow_foreign_mac);
  out->set_group(vm.group);
}

void put(const GroupSpec& group, v1::GroupSpec* out) {
  out->set_name(group.name);
  out->set_egress_cap(group.cap[index(Direction::kEgress)].value);
  out->set_ingress_cap(group.cap[index(Direction::kIngress)].value);
  out->set_egress_burst(group.burst[index(Direction::kEgress)].value);
  out->set_ingress_burst(group.burst[index(Direction::kIngress)].value);
}

GroupSpec get(const v1::GroupSpec& in, const Place& place, Validator& validator) {
  return GroupSpec{.name = validator.name(place / "name", in.name()),
                   .cap = {BytesPerSecond{in.egress_cap()}, BytesPerSecond{in.ingress_cap()}},
                   .burst = {Bytes{validator.within(place / "egress_burst", in.egress_burst(), 0, kLargestBurst)},
                             Bytes{validator.within(place / "ingress_burst", in.ingress_burst(), 0, kLargestBurst)}}};
}

VmSpec get(const v1::VmSpec& in, const Place& place, Validator& validator) {
  VmSpec vm{.id = VmId{in.id()}, .name = validator.name(place / "name", in.name())};
  vm.allow_foreign_mac = in.allow_foreign_mac();
  vm.group = validator.text(place / "group", in.group(), kLongestName);
  const auto attachments = place / "attachments";
  if (!validator.count(attachments, static_cast<std::size_t>(in.attachments_size()), kMostAttachments)) return vm;
  for (const auto& from : in.attachments()) {
    const auto at = attachments[vm.attachments.size()];
    vm.attachments.push_back(Attachment{.port = validator.name(at / "port", from.port()),
                                        .mac = validator.mac(at / "mac", from.mac()),
                                        .segment = validator.segment(at / "segment", from.segment())});
  }
  return vm;
}

void put(const DesiredState& desired, v1::ToDataplane* message) {
  auto* out = message->mutable_desired_state();
  out->set_generation(desired.generation.value);
  for (const auto& uplink : desired.uplinks) put(uplink, out->add_uplinks());
  for (const auto& vm : desired.vms) put(vm, out->add_vms());
  for (const auto& intent : desired.intents) put(intent, out->add_intents());
  for (const auto& group : desired.groups) put(group, out->add_groups());
  out->set_signature_set(desired.signature_set);
  out->set_signature_revision(desired.signature_revision);
}

// Ids are keys on the dataplane: a second one would silently replace the first.
template <typename Element>
void check_unique_ids(const std::vector<Element>& elements, const Place& place, Validator& validator) {
  std::unordered_set<decltype(Element::id)> seen;
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (!seen.insert(elements[i].id).second)
      validator.fault(place[i] / "id", fmt::format("{} twice, expected each id once", elements[i].id.value));
}

DesiredState get(const v1::DesiredState& in, const Place& place, Validator& validator) {
  DesiredState desired{.generation = Generation{in.generation()}};
  const auto uplinks = place / "uplinks";
  if (validator.count(uplinks, static_cast<std::size_t>(in.uplinks_size()), kMostUplinks))
    for (const auto& uplink : in.uplinks())
      desired.uplinks.push_back(get(uplink, uplinks[desired.uplinks.size()], validator));
  const auto vms = place / "vms";
  if (validator.count(vms, static_cast<std::size_t>(in.vms_size()), kMostVms))
    for (const auto& vm : in.vms()) desired.vms.push_back(get(vm, vms[desired.vms.size()], validator));
  const auto intents = place / "intents";
  if (validator.count(intents, static_cast<std::size_t>(in.intents_size()), kMostIntents))
    for (const auto& intent : in.intents())
      desired.intents.push_back(get(intent, intents[desired.intents.size()], validator));
  const auto groups = place / "groups";
  if (validator.count(groups, static_cast<std::size_t>(in.groups_size()), kMostGroups))
    for (const auto& group : in.groups())
      desired.groups.push_back(get(group, groups[desired.groups.size()], validator));
  check_unique_ids(desired.vms, vms, validator);
  check_unique_ids(desired.intents, intents, validator);
  desired.signature_set = validator.text(place / "signature_set", in.signature_set(), kLongestName);
  desired.signature_revision = in.signature_revision();
  return desired;
}

void put(const Ack& ack, v1::ToDataplane* message) {
  message->mutable_ack()->set_boot_id(ack.boot_id);
  message->mutable_ack()->set_sequence(ack.sequence);
}

void put(const Welcome& welcome, v1::ToDataplane* message) {
  message->mutable_welcome()->set_version(valid_text(welcome.version, kLongestName));
}

}  // namespace

v1::ToDataplane to_proto(const ToDataplane& message) {
  v1::ToDataplane out;
  std::visit([&](const auto& plain) { put(plain, &out); }, message);
  return out;
}

Result<ToDataplane> from_proto(const v1::ToDataplane& message) {
  Validator validator;
  switch (message.message_case()) {
    case v1::ToDataplane::kDesiredState:
      return validator.finish(ToDataplane(get(message.desired_state(), Place("desired_state"), validator)));
    case v1::ToDataplane::kAck:
      return ToDataplane(Ack{.boot_id = message.ack().boot_id(), .sequence = message.ack().sequence()});
    case v1::ToDataplane::kWelcome:
      return validator.finish(ToDataplane(
          Welcome{validator.text(Place("welcome") / "version", message.welcome().version(), kLongestName)}));
    case v1::ToDataplane::MESSAGE_NOT_SET:
      break;
  }
  return fail(ErrorCode::kMalformed, "message: none that is known, expected desired_state, ack or welcome");
}

}  // namespace foreflow::wire
