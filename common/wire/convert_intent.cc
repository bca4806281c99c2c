// SPDX-License-Identifier: Apache-2.0
#include "common/wire/convert_intent.h"

#include "common/wire/ipv4_number.h"
#include "common/wire/limits.h"

namespace foreflow::wire {
namespace {

constexpr std::size_t kDemands = 3;
constexpr std::uint32_t kLongestIdle = (1u << 24) - 1;  // what a device's rule can hold
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

void put(const Police& police, v1::Intent* intent) {
  auto* out = intent->mutable_police();
  out->set_vm(police.vm.value);
  out->set_direction(static_cast<std::uint32_t>(police.direction));
  out->set_cir(police.cir.value);
  out->set_pir(police.pir.value);
  out->set_cbs(police.cbs.value);
  out->set_pbs(police.pbs.value);
  out->set_weight(police.weight);
  out->set_packets_per_second(police.packets_per_second);
  out->set_packet_burst(police.packet_burst);
  out->set_shape(police.shape);
}

Police get(const v1::Police& in, const Place& place, Validator& validator) {
  Police police;
  police.vm = VmId{in.vm()};
  police.direction = validator.choice<Direction>(place / "direction", in.direction(), kDirections);
  police.cir = BytesPerSecond{in.cir()};
  police.pir = BytesPerSecond{in.pir()};
  if (police.pir < police.cir)
    validator.fault(place / "pir", fmt::format("{}, expected at least the cir of {}", in.pir(), in.cir()));
  police.cbs = Bytes{validator.within(place / "cbs", in.cbs(), 0, kLargestBurst)};
  police.pbs = Bytes{validator.within(place / "pbs", in.pbs(), 0, kLargestBurst)};
  police.weight = in.weight();
  police.packets_per_second = in.packets_per_second();
  police.packet_burst = validator.within(place / "packet_burst", in.packet_burst(), 0, kLargestBurst);
  police.shape = in.shape();
  return police;
}

void put(const TrafficMatch& match, v1::TrafficMatch* out) {
  out->set_ip_protocol(match.ip_protocol);
  out->set_local_port(match.local_port);
  out->set_remote_port(match.remote_port);
  out->set_remote(number_of(match.remote));
  out->set_remote_prefix(match.remote_prefix);
  if (match.category) out->set_category(static_cast<std::uint32_t>(*match.category));
}

TrafficMatch get(const v1::TrafficMatch& in, const Place& place, Validator& validator) {
  const auto within = [&](std::string_view field, std::uint32_t value, std::uint32_t most) {
    return validator.within(place / field, value, 0, most);
  };
  TrafficMatch match;
  match.ip_protocol = static_cast<std::uint8_t>(within("ip_protocol", in.ip_protocol(), 255));
  match.local_port = static_cast<std::uint16_t>(within("local_port", in.local_port(), 65'535));
  match.remote_port = static_cast<std::uint16_t>(within("remote_port", in.remote_port(), 65'535));
  match.remote = ipv4_of(in.remote());
  match.remote_prefix = static_cast<std::uint8_t>(within("remote_prefix", in.remote_prefix(), 32));
  if (in.has_category()) match.category = validator.choice<Category>(place / "category", in.category(), kCategories);
  const bool names_ports = match.local_port != 0 || match.remote_port != 0;
  if (names_ports && match.ip_protocol != kTcp && match.ip_protocol != kUdp)
    validator.fault(place / "ip_protocol",
                    fmt::format("{}, expected {} (TCP) or {} (UDP) beside a port", in.ip_protocol(), kTcp, kUdp));
  return match;
}

void put(const Treatment& treatment, v1::Intent* intent) {
  auto* out = intent->mutable_treatment();
  out->set_vm(treatment.vm.value);
  out->set_direction(static_cast<std::uint32_t>(treatment.direction));
  put(treatment.match, out->mutable_match());
  out->set_drop(treatment.drop);
  if (treatment.dscp) out->set_dscp(*treatment.dscp);
  if (treatment.mirror) {
    out->set_mirror_port(treatment.mirror->port);
    out->set_mirror_one_in(treatment.mirror->one_in);
  }
  out->set_steer_port(treatment.steer_port);
  out->set_queue_group(treatment.queue_group);
  if (treatment.queue) out->set_queue(*treatment.queue);
  out->set_idle_seconds(treatment.idle_seconds);
}

Treatment get(const v1::Treatment& in, const Place& place, Validator& validator) {
  constexpr std::uint32_t kLargestDscp = 63;
  Treatment treatment;
  treatment.vm = VmId{in.vm()};
  treatment.direction = validator.choice<Direction>(place / "direction", in.direction(), kDirections);
  treatment.match = get(in.match(), place / "match", validator);
  treatment.drop = in.drop();
  if (in.has_dscp())
    treatment.dscp = static_cast<std::uint8_t>(validator.within(place / "dscp", in.dscp(), 0, kLargestDscp));
  if (in.has_mirror_port())
    treatment.mirror = Mirror{.port = validator.name(place / "mirror_port", in.mirror_port()),
                              .one_in = static_cast<std::uint32_t>(validator.within(
                                  place / "mirror_one_in", in.mirror_one_in(), 1, std::uint32_t{0xffff'ffff}))};
  treatment.steer_port = validator.text(place / "steer_port", in.steer_port(), kLongestName);
  treatment.queue_group =
      static_cast<std::uint8_t>(validator.within(place / "queue_group", in.queue_group(), 0, kMostQueueGroups));
  if (in.has_queue())
    treatment.queue = static_cast<std::uint8_t>(validator.within(place / "queue", in.queue(), 0, kLastQueue));
  treatment.idle_seconds =
      static_cast<std::uint32_t>(validator.within(place / "idle_seconds", in.idle_seconds(), 0, kLongestIdle));
  return treatment;
}

void put(const Bypass& bypass, v1::Intent* intent) {
  auto* out = intent->mutable_bypass();
  out->set_vm(bypass.vm.value);
  if (bypass.category) out->set_category(static_cast<std::uint32_t>(*bypass.category));
  out->set_least_bytes(bypass.least_bytes);
  out->set_idle_seconds(bypass.idle_seconds);
  out->set_least_packets(bypass.least_packets);
}

Bypass get(const v1::Bypass& in, const Place& place, Validator& validator) {
  Bypass bypass{.vm = VmId{in.vm()}, .category = std::nullopt, .least_bytes = in.least_bytes()};
  if (in.has_category()) bypass.category = validator.choice<Category>(place / "category", in.category(), kCategories);
  bypass.idle_seconds =
      static_cast<std::uint32_t>(validator.within(place / "idle_seconds", in.idle_seconds(), 1, kLongestIdle));
  bypass.least_packets =
      static_cast<std::uint32_t>(validator.within(place / "least_packets", in.least_packets(), 0, kMostBypassPackets));
  return bypass;
}

}  // namespace

void put(const Intent& intent, v1::Intent* out) {
  out->set_id(intent.id.value);
  out->set_priority(intent.priority);
  out->set_demand(static_cast<std::uint32_t>(intent.demand));
  std::visit([&](const auto& what) { put(what, out); }, intent.what);
}

Intent get(const v1::Intent& in, const Place& place, Validator& validator) {
  Intent intent;
  intent.id = IntentId{in.id()};
  intent.priority = in.priority();
  intent.demand = validator.choice<Demand>(place / "demand", in.demand(), kDemands);
  if (in.has_police())
    intent.what = get(in.police(), place / "police", validator);
  else if (in.has_treatment())
    intent.what = get(in.treatment(), place / "treatment", validator);
  else if (in.has_bypass())
    intent.what = get(in.bypass(), place / "bypass", validator);
  else
    validator.fault(place / "what", "none that is known, expected police, treatment or bypass");
  return intent;
}

}  // namespace foreflow::wire
