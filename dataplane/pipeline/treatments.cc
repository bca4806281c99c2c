// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/treatments.h"

#include "common/wire/ipv4_number.h"
#include "dataplane/net/octets.h"
#include "dataplane/net/traffic_class.h"

namespace foreflow::pipeline {
namespace {

bool is_in_prefix(const net::IpAddress& address, const wire::TrafficMatch& match) noexcept {
  const auto number = net::load_be32(address.bytes.data() + 12);  // IPv4, mapped
  return ((number ^ wire::number_of(match.remote)) >> (32 - match.remote_prefix)) == 0;
}

bool matches(const offload::SoftwareTreatment& treatment, const net::Parsed& packet, Category category) noexcept {
  const auto& what = treatment.what;
  const auto& match = what.match;
  const bool egress = what.direction == Direction::kEgress;
  if (what.dscp && packet.ip_version == 0) return false;
  if (match.ip_protocol != 0 && (packet.ip_version == 0 || packet.ip_protocol != match.ip_protocol)) return false;
  const auto local = egress ? packet.source_port : packet.destination_port;
  const auto remote = egress ? packet.destination_port : packet.source_port;
  if (match.local_port != 0 && match.local_port != local) return false;
  if (match.remote_port != 0 && match.remote_port != remote) return false;
  if (match.category && match.category != category) return false;
  if (match.remote_prefix == 0) return true;
  return packet.ip_version == 4 && is_in_prefix(egress ? packet.destination_ip : packet.source_ip, match);
}

}  // namespace

const offload::SoftwareTreatment* find_treatment(const TreatmentList& list, const net::Parsed& packet,
                                                 Category category) noexcept {
  for (const auto& treatment : list)
    if (matches(treatment, packet, category)) return &treatment;
  return nullptr;
}

Treater::Fate Treater::apply(const offload::SoftwareTreatment& treatment, rte_mbuf*& packet,
                             const net::Parsed& parsed) noexcept {
  auto& counters = *treatment.counters;
  counters.packets.add(1);
  counters.bytes.add(rte_pktmbuf_pkt_len(packet));
  if (treatment.what.dscp && !treatment.what.drop && !mark(packet, parsed, *treatment.what.dscp))
    return Fate::kNoBuffer;
  if (treatment.mirror_port && counters.packets.read() % treatment.what.mirror->one_in == 0) mirror(treatment, packet);
  return treatment.what.drop ? Fate::kDrop : Fate::kGoesOn;
}

bool Treater::mark(rte_mbuf*& packet, const net::Parsed& parsed, std::uint8_t dscp) noexcept {
  if (!RTE_MBUF_DIRECT(packet) || rte_mbuf_refcnt_read(packet) != 1) {
    auto* own = rte_pktmbuf_copy(packet, pool_, 0, UINT32_MAX);
    if (own == nullptr) return false;
    rte_pktmbuf_free(packet);
    packet = own;
  }
  net::write_dscp(rte_pktmbuf_mtod_offset(packet, std::uint8_t*, parsed.l3_offset), parsed.ip_version, dscp);
  return true;
}

// A copy belongs to nobody: it counts for the dataplane alone.
void Treater::mirror(const offload::SoftwareTreatment& treatment, const rte_mbuf* packet) noexcept {
  books_.total().flood_copies.add(1);
  auto* copy = rte_pktmbuf_copy(packet, pool_, 0, UINT32_MAX);
  if (copy == nullptr) return books_.dropped({}, wire::DropCause::kNoBuffer);
  outbox_.send(*treatment.mirror_port, copy, {});
}

}  // namespace foreflow::pipeline
