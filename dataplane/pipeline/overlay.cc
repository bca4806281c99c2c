// SPDX-License-Identifier: Apache-2.0
// Networks with a VNI at the uplink: what arrives leaves its tunnel before anything looks at it, so all stages see the
// VM's own frame; what leaves is wrapped last of all.
#include "dataplane/pipeline/vlan.h"
#include "dataplane/pipeline/worker.h"

namespace foreflow::pipeline {
namespace {

// Different for different flows, the same for the packets of one.
std::uint32_t entropy_of(const net::Parsed& packet) noexcept {
  std::uint64_t mixed = std::uint64_t{packet.source_port} << 16 | packet.destination_port;
  const auto mix = [&](const auto& bytes) {
    for (const auto byte : bytes) mixed = (mixed ^ byte) * 0x100000001b3;  // FNV-1a
  };
  if (packet.ip_version == 0) {
    mix(packet.source.octets);
    mix(packet.destination.octets);
  } else {
    mix(packet.source_ip.bytes);
    mix(packet.destination_ip.bytes);
  }
  return static_cast<std::uint32_t>(mixed >> 32 ^ mixed);
}

// What is behind the inner frame (padding of the underlay) goes. False: there is more of it than the last segment.
bool cut(rte_mbuf* packet, const net::Inner& inner) noexcept {
  if (rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(inner.offset)) == nullptr) return false;
  const auto size = rte_pktmbuf_pkt_len(packet);
  return size <= inner.size || rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(size - inner.size)) == 0;
}

}  // namespace

// False: the frame was for this end itself or for nobody, and is gone.
bool Worker::leave_tunnel(Frame& frame, const Tunnel& tunnel) noexcept {
  if (frame.packet->nb_segs > 1) [[unlikely]]
    gather_headers(frame);
  net::Inner inner;
  switch (net::find_inner(tunnel.end, frame.parsed, bytes_of(frame.packet), inner)) {
    case net::TunnelStatus::kNone:
      return !answer(frame, tunnel);
    case net::TunnelStatus::kMalformed:
      return lost(frame, wire::DropCause::kMalformed), false;
    case net::TunnelStatus::kInner:
      break;
  }
  frame.remote = tunnel.remote(inner.from);
  // Tunnels prove nothing about their senders; so at least the address has to be a known one.
  if (frame.remote == kNoRemote) return lost(frame, wire::DropCause::kSpoof), false;
  if (!cut(frame.packet, inner)) return lost(frame, wire::DropCause::kMalformed), false;
  parse(frame);
  // A tag inside would lead into a segment of somebody else (RFC 7348, 6.1).
  if (frame.malformed || frame.parsed.segment.value != 0) return lost(frame, wire::DropCause::kMalformed), false;
  frame.route.segment = overlay(inner.vni);
  return true;
}

// The underlay asks for our address.
bool Worker::answer(Frame& frame, const Tunnel& tunnel) noexcept {
  const auto size = rte_pktmbuf_data_len(frame.packet);
  if (!net::answer_arp({rte_pktmbuf_mtod(frame.packet, std::uint8_t*), size}, tunnel.end)) return false;
  outbox_.send(frame.port_id, frame.packet, {});
  return true;
}

void Forwarder::learn(const Frame& frame) noexcept {
  if (frame.remote != kNoRemote) whereabouts_.learn(frame.route.segment, frame.parsed.source, frame.remote, now_ns_);
}

void Forwarder::use_tunnels(const Snapshot& snapshot) {
  std::vector<std::vector<Ipv4Address>> remotes;
  for (const auto& tunnel : snapshot.tunnels) remotes.push_back(tunnel ? tunnel->remotes : std::vector<Ipv4Address>{});
  if (remotes == remotes_) return;
  remotes_ = std::move(remotes);
  whereabouts_.clear();
}

// To the end behind which the receiver was seen, else to all of them. A copy for each; the sender is counted once.
void Forwarder::to_tunnel(rte_mbuf* packet, const Frame& frame, std::uint8_t uplink, const Account& account) noexcept {
  const auto* tunnel = snapshot_->tunnel(uplink);
  if (tunnel == nullptr || tunnel->remotes.empty()) return give_up(packet, account, wire::DropCause::kUnknownVm);
  if (!fits(rte_pktmbuf_pkt_len(packet) + std::uint32_t{net::kOuterSize},
            snapshot_->largest_frame(snapshot_->uplinks[uplink])))
    return give_up(packet, account, wire::DropCause::kMtu);
  const auto known = whereabouts_.find(frame.route.segment, frame.parsed.destination, now_ns_);
  if (known < tunnel->remotes.size()) return wrap(packet, frame, {uplink, tunnel->remotes[known]}, account);
  for (std::size_t at = 1; at < tunnel->remotes.size(); ++at)
    if (auto* copy = copied(rte_pktmbuf_copy(packet, w_.pool, 0, UINT32_MAX)); copy != nullptr)
      wrap(copy, frame, {uplink, tunnel->remotes[at]}, {});
  wrap(packet, frame, {uplink, tunnel->remotes.front()}, account);
}

void Forwarder::wrap(rte_mbuf* packet, const Frame& frame, const Underlay& to, const Account& account) noexcept {
  const auto inner_size = rte_pktmbuf_pkt_len(packet);
  auto* header = RTE_MBUF_DIRECT(packet) ? rte_pktmbuf_prepend(packet, net::kOuterSize) : nullptr;
  if (header == nullptr) return give_up(packet, account, wire::DropCause::kNoBuffer);
  const std::span<std::uint8_t, net::kOuterSize> outer(reinterpret_cast<std::uint8_t*>(header), net::kOuterSize);
  net::write_outer(outer, snapshot_->tunnel(to.uplink)->end, to.remote, vni_of(frame.route.segment), inner_size,
                   entropy_of(frame.parsed));
  leave(to.uplink, packet, frame, account);
}

}  // namespace foreflow::pipeline
