// SPDX-License-Identifier: Apache-2.0
// What the emulated device does to packets that a port receives.
#include "dataplane/offload/emulated/eswitch.h"
#include "dataplane/offload/emulated/exits.h"
#include "dataplane/offload/emulated/rewrite.h"

namespace foreflow::offload::emulated {
namespace {

constexpr int kMostHops = 16;

// Queue contexts live as long as the process, so a callback may hold on to its reader.
std::uint16_t on_receive(std::uint16_t port, std::uint16_t /*queue*/, rte_mbuf** packets, std::uint16_t count,
                         std::uint16_t /*room*/, void* reader) {
  return Eswitch::instance().receive(port, *static_cast<Gate::Reader*>(reader), packets, count);
}

}  // namespace

void Eswitch::attach(std::uint16_t port) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port, &info) != 0) return;
  const std::lock_guard locked(mutex_);
  for (std::uint16_t number = 0; number < info.nb_rx_queues; ++number) {
    auto& queue = queues_[{port, number}];
    if (queue.callback != nullptr) continue;
    if (queue.reader == nullptr) {
      const Gate::Closed closed(gate_);
      queue.reader = &gate_.add();
    }
    queue.callback = rte_eth_add_first_rx_callback(port, number, on_receive, queue.reader);
  }
}

std::uint16_t Eswitch::receive(std::uint16_t port, Gate::Reader& reader, rte_mbuf** packets, std::uint16_t count) {
  if (!active_.load(std::memory_order_acquire) || count == 0) return count;
  gate_.enter(reader);
  std::uint16_t kept = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    auto* packet = packets[i];
    const auto end = lead(key_of(port, *packet), *packet);
    if (end == End::kCpu) packets[kept++] = packet;
    if (end == End::kDropped) rte_pktmbuf_free(packet);
  }
  gate_.leave(reader);
  return kept;
}

void Eswitch::mirror(const rte_mbuf& packet, std::uint16_t port) {
  auto* copy = rte_pktmbuf_copy(&packet, packet.pool, 0, UINT32_MAX);
  if (copy != nullptr) send(port, copy);
}

// To the CPU, with the metadata if its receiver has room for that.
Eswitch::End Eswitch::deliver(std::uint32_t metadata, rte_mbuf& packet) {
  if (rte_flow_dynf_metadata_avail() == 0) return End::kCpu;
  packet.ol_flags &= ~RTE_MBUF_DYNFLAG_RX_METADATA;
  if (metadata == 0) return End::kCpu;
  packet.ol_flags |= RTE_MBUF_DYNFLAG_RX_METADATA;
  *RTE_FLOW_DYNF_METADATA(&packet) = metadata;
  return End::kCpu;
}

// A miss delivers to the port's representor, which is the caller of rte_eth_rx_burst.
Eswitch::End Eswitch::lead(PacketKey key, rte_mbuf& packet) {
  const auto size = wire_size(packet);
  const auto now = state_->clock.of(packet);
  const auto* group = state_->groups.begin()->second.get();
  for (int hop = 0; hop < kMostHops; ++hop) {
    auto* rule = group->find(key);
    if (rule == nullptr) return deliver(key.metadata(), packet);
    if (rule->counts) {
      rule->packets.fetch_add(1, std::memory_order_relaxed);
      rule->bytes.fetch_add(size, std::memory_order_relaxed);
    }
    if (rule->idle_ns != 0) rule->last_hit_ns.store(now, std::memory_order_relaxed);
    if (rule->dscp) write_dscp(packet, *rule->dscp);
    if (rule->metadata_mask != 0) key.change_metadata(rule->metadata, rule->metadata_mask);
    if (rule->mirror_port) mirror(packet, *rule->mirror_port);
    group = rule->jump;
    if (rule->meter != nullptr) {
      const auto fate = police(*rule->meter, size, now);
      if (fate.kind == Fate::Kind::kDrop) return End::kDropped;
      if (fate.kind == Fate::Kind::kJump) group = fate.group;
    }
    if (rule->drops) return End::kDropped;
    if (rule->out_port) return send(*rule->out_port, &packet), End::kSent;
    if (group == nullptr) return deliver(key.metadata(), packet);
  }
  return End::kDropped;
}

}  // namespace foreflow::offload::emulated
