// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/outbox.h"

#include <bit>
#include <cassert>

#include <rte_ethdev.h>

namespace foreflow::pipeline {

Outbox::Outbox(const OutboxWiring& wiring, Books& books)
    : worker_(wiring.worker),
      handover_(wiring.handover),
      books_(books),
      workers_(wiring.handover.workers()),
      queues_(wiring.queues),
      waiting_(wiring.queues.size()),
      handed_over_(wiring.handed_over),
      shared_(wiring.shared) {}

void Outbox::attach(const port::Port& port) {
  for (std::uint8_t group = 0; group <= port.queue_groups; ++group) {
    auto& boxes = ports_[group];
    if (boxes.size() <= port.id) boxes.resize(port.id + 1u);
    auto& box = boxes[port.id];
    box.port_id = port.id;
    box.group = group;
    box.refused = port.role == config::PortRole::kVm ? wire::DropCause::kGuestFull : wire::DropCause::kPortFull;
    box.queue = static_cast<std::uint16_t>(group * port.tx_queues + worker_ % port.tx_queues);
    box.lock = port.tx_queues < handover_.workers() ? &shared_[port.id].lock : nullptr;
  }
}

void Outbox::detach(std::uint16_t port_id) noexcept {
  for (auto& boxes : ports_) {
    if (boxes.size() <= port_id) continue;
    assert(boxes[port_id].count == 0 && "between two polls");
    boxes[port_id] = {};
  }
}

void Outbox::hand_over(std::uint16_t owner, rte_mbuf* packet, const Passage& passage) noexcept {
  handover_.passage(packet) = passage;
  auto& box = workers_[owner];
  box.packets[box.count] = packet;
  if (++box.count == kBurst) flush(owner, box);
}

void Outbox::flush() noexcept {
  static_assert(kMostPorts <= 32);
  for (std::size_t group = 0; group < kQueueGroups; ++group)
    for (auto& used = used_[group]; used != 0; used &= used - 1)
      if (auto& box = ports_[group][static_cast<std::size_t>(std::countr_zero(used))]; box.count != 0) flush(box);
  for (std::size_t owner = 0; owner < workers_.size(); ++owner)
    if (workers_[owner].count != 0) flush(static_cast<std::uint16_t>(owner), workers_[owner]);
  for (std::size_t uplink = 0; uplink < waiting_.size(); ++uplink)
    if (waiting_[uplink].count != 0) flush(static_cast<std::uint8_t>(uplink), waiting_[uplink]);
}

std::size_t Outbox::transmit(std::uint16_t port_id, std::span<rte_mbuf*> packets) noexcept {
  const auto& box = ports_[0][port_id];
  std::array<std::uint64_t, kBurst> upto;  // bytes; a packet that was sent may be gone
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) upto[i] = bytes += rte_pktmbuf_pkt_len(packets[i]);
  if (box.lock != nullptr) rte_spinlock_lock(box.lock);
  const auto sent = rte_eth_tx_burst(port_id, box.queue, packets.data(), static_cast<std::uint16_t>(packets.size()));
  if (box.lock != nullptr) rte_spinlock_unlock(box.lock);
  if (sent == 0) return 0;
  auto& port = books_.port(port_id);
  port.tx_packets.add(sent);
  port.tx_bytes.add(upto[sent - 1u]);
  return sent;
}

void Outbox::flush(PortBox& box) noexcept {
  if (box.lock != nullptr) rte_spinlock_lock(box.lock);
  const auto sent = rte_eth_tx_burst(box.port_id, box.queue, box.packets.data(), box.count);
  if (box.lock != nullptr) rte_spinlock_unlock(box.lock);

  auto& port = books_.port(box.port_id);
  if (sent < box.count) {
    port.full_packets.add(box.count - sent);
    for (auto i = sent; i < box.count; ++i) {
      box.bytes -= rte_pktmbuf_pkt_len(box.packets[i]);
      books_.dropped(box.accounts[i], box.refused);
    }
    rte_pktmbuf_free_bulk(&box.packets[sent], box.count - sent);
  }
  if (sent != 0) {
    port.tx_packets.add(sent);
    port.tx_bytes.add(box.bytes);
  }
  box.count = 0;
  box.bytes = 0;
}

void Outbox::flush(std::uint8_t uplink, QueueBox& box) noexcept {
  auto& queue = *queues_[uplink];
  const bool to_other = queue.worker() != worker_;
  if (to_other && handed_over_ != nullptr) handed_over_->fetch_add(box.count, std::memory_order_relaxed);
  const auto refused = queue.push(std::span(box.entries.data(), box.count), worker_);
  if (to_other && handed_over_ != nullptr) handed_over_->fetch_sub(refused, std::memory_order_relaxed);
  if (to_other) handover_.doorbell(queue.worker()).ring();
  for (std::size_t i = 0; i < refused; ++i) {
    books_.dropped(box.entries[i].packet.account, wire::DropCause::kQueueFull);
    rte_pktmbuf_free(box.entries[i].packet.packet);
  }
  box.count = 0;
}

void Outbox::flush(std::uint16_t owner, WorkerBox& box) noexcept {
  if (handed_over_ != nullptr) handed_over_->fetch_add(box.count, std::memory_order_relaxed);
  const auto given = handover_.give(worker_, owner, std::span(box.packets.data(), box.count));
  if (handed_over_ != nullptr) handed_over_->fetch_sub(box.count - given, std::memory_order_relaxed);
  for (auto i = given; i < box.count; ++i) {
    const auto& passage = handover_.passage(box.packets[i]);
    books_.lost_on_handover(passage.slot, passage.direction, rte_pktmbuf_pkt_len(box.packets[i]));
  }
  if (given < box.count) rte_pktmbuf_free_bulk(&box.packets[given], static_cast<unsigned>(box.count - given));
  box.count = 0;
}

}  // namespace foreflow::pipeline
