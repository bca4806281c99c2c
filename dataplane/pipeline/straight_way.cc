// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/straight_way.h"

#include <rte_ether.h>

#include "dataplane/net/parse.h"
#include "dataplane/pipeline/left_work.h"

namespace foreflow::pipeline {
namespace {

bool is_free(const vm::Attachment& vm, Direction direction) noexcept {
  return !vm.is_policed[index(direction)] && !vm.is_treated[index(direction)];
}

}  // namespace

std::size_t StraightWay::send(std::span<rte_mbuf* const> packets, std::uint16_t port_id, const Snapshot& snapshot,
                              std::uint64_t now_ns) noexcept {
  const auto count = look_up(read_usual(packets, port_id, snapshot), port_id, snapshot);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& pair = pairs_[i];
    const auto size = rte_pktmbuf_pkt_len(packets[i]);
    pair.sent->offered.add(size, now_ns);
    pair.received->offered.add(size, now_ns);
    outbox_.send(pair.receiver->port_id, packets[i], {pair.receiver->slot, Direction::kIngress, {}, size});
  }
  return count;
}

// How many are usual, fit every port, and have their pair's MACs read.
std::size_t StraightWay::read_usual(std::span<rte_mbuf* const> packets, std::uint16_t port_id,
                                    const Snapshot& snapshot) noexcept {
  const auto segment = snapshot.ports[port_id].segment;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto* packet = packets[i];
    const auto* bytes = rte_pktmbuf_mtod(packet, const std::uint8_t*);
    const auto size = rte_pktmbuf_pkt_len(packet);
    if (size > snapshot.fits_everywhere || may_be_left(*packet) ||
        !net::is_usual_unicast({bytes, rte_pktmbuf_data_len(packet)}, size)) [[unlikely]]
      return i;
    auto& pair = pairs_[i];
    pair.destination = vm::mac_at(bytes);
    pair.source = vm::mac_at(bytes + RTE_ETHER_ADDR_LEN);
    snapshot.directory.prefetch(port_id, segment, pair.source, pair.destination);
  }
  return packets.size();
}

// How many of them go between two VMs of this worker and segment of which nothing else is asked.
std::size_t StraightWay::look_up(std::size_t count, std::uint16_t port_id, const Snapshot& snapshot) noexcept {
  const auto segment = snapshot.ports[port_id].segment;
  for (std::size_t i = 0; i < count; ++i) {
    auto& pair = pairs_[i];
    const auto* sender = snapshot.directory.by_source(port_id, pair.source);
    const auto* receiver = snapshot.directory.by_destination(segment, pair.destination);
    if (sender == nullptr || receiver == nullptr || sender->segment != segment || sender->owner != worker_ ||
        receiver->owner != worker_ || !is_free(*sender, Direction::kEgress) || !is_free(*receiver, Direction::kIngress))
        [[unlikely]]
      return i;
    pair.receiver = receiver;
    pair.sent = &books_.vm(sender->slot).directions[index(Direction::kEgress)];
    pair.received = &books_.vm(receiver->slot).directions[index(Direction::kIngress)];
    __builtin_prefetch(&pair.sent->offered, 1);
    __builtin_prefetch(&pair.received->offered, 1);
  }
  return count;
}

}  // namespace foreflow::pipeline
