// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/worker.h"

#include <algorithm>

#include <rte_prefetch.h>

#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {
Worker::Worker(const WorkerWiring& wiring, std::vector<std::unique_ptr<Source>> sources)
    : id_(wiring.id),
      handover_(wiring.handover),
      books_(wiring.vms),
      outbox_({wiring.id, wiring.ports, wiring.shared_queues, wiring.handover, wiring.handed_over}, books_),
      tracker_(wiring.flows, wiring.vms),
      forwarder_({wiring.id, wiring.pool, wiring.limits, books_, outbox_, tracker_}),
      top_flows_(tracker_.flows()),
      sources_(std::move(sources)),
      occupants_(vm::kMostVms) {}

std::size_t Worker::poll(const Snapshot& snapshot, std::uint64_t now_ns) {
  if (snapshot.serial != adopted_) adopt(snapshot, now_ns);
  snapshot_ = &snapshot;
  forwarder_.begin(snapshot, now_ns);
  auto handled = take_over();
  std::array<rte_mbuf*, kBurst> packets;
  for (auto& source : sources_) {
    const auto count = source->receive(packets, now_ns);
    if (count == 0) continue;
    receive(std::span(packets.data(), count), source->port_id());
    handled += count;
  }
  forwarder_.finish();
  outbox_.flush();
  tracker_.age(now_ns);
  top_flows_.scan(now_ns);
  return handled;
}

std::size_t Worker::drain(const Snapshot& snapshot, std::uint64_t now_ns) {
  if (snapshot.serial != adopted_) adopt(snapshot, now_ns);
  snapshot_ = &snapshot;
  forwarder_.begin(snapshot, now_ns);
  const auto handled = take_over();
  forwarder_.finish();
  outbox_.flush();
  return handled;
}

void Worker::discard_handed_over() noexcept {
  forwarder_.discard_held();
  std::array<rte_mbuf*, kBurst> packets;
  for (std::uint16_t from = 0; from < handover_.workers(); ++from) {
    if (from == id_) continue;
    while (const auto count = handover_.take(from, id_, packets)) {
      for (std::size_t i = 0; i < count; ++i) {
        const auto& passage = handover_.passage(packets[i]);
        books_.lost_on_handover(passage.slot, passage.direction, rte_pktmbuf_pkt_len(packets[i]));
      }
      rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(count));
    }
  }
}

std::uint64_t Worker::next_due() noexcept {
  auto earliest = kNever;
  for (auto& source : sources_) earliest = std::min(earliest, source->next_due());
  return earliest;
}

// Meters get their new rates, and a slot that changed hands forgets its former VM.
void Worker::adopt(const Snapshot& snapshot, std::uint64_t now_ns) {
  for (std::size_t slot = 0; slot < vm::kMostVms; ++slot) {
    const auto* entry = snapshot.vm(static_cast<vm::Slot>(slot));
    if (entry != nullptr && entry->owner != id_) continue;
    auto& occupant = occupants_[slot];
    if (occupant && (entry == nullptr || *occupant != entry->id)) {
      tracker_.remove_vm(static_cast<vm::Slot>(slot));
      forwarder_.forget(static_cast<vm::Slot>(slot));
      occupant.reset();
    }
    if (entry == nullptr) continue;
    occupant = entry->id;
    forwarder_.adopt(static_cast<vm::Slot>(slot), *entry, now_ns);
  }
  tracker_.use(snapshot.signatures.get(), id_);
  adopted_ = snapshot.serial;
}

std::size_t Worker::take_over() noexcept {
  std::size_t handled = 0;
  std::array<rte_mbuf*, kBurst> packets;
  std::array<Frame, kBurst> frames;
  for (std::uint16_t from = 0; from < handover_.workers(); ++from) {
    if (from == id_) continue;
    const auto count = handover_.take(from, id_, packets);
    std::size_t leaving = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Frame frame{.packet = packets[i], .parsed = {}, .passage = handover_.passage(packets[i])};
      parse(frame);
      if (frame.passage.direction == Direction::kIngress) {
        forwarder_.to_ingress(frame, id_);
        continue;
      }
      frame.source = snapshot_->directory.by_source(frame.passage.port_id, frame.parsed.source);
      if (frame.source != nullptr && frame.source->slot != frame.passage.slot) frame.source = nullptr;
      frames[leaving++] = frame;
    }
    forwarder_.egress(std::span(frames.data(), leaving));
    handled += count;
  }
  taken_over_ += handled;
  return handled;
}

void Worker::receive(std::span<rte_mbuf*> packets, std::uint16_t port_id) noexcept {
  std::array<Frame, kBurst> frames;
  std::uint64_t bytes = 0;
  for (auto* packet : packets) rte_prefetch0(rte_pktmbuf_mtod(packet, const void*));
  for (std::size_t i = 0; i < packets.size(); ++i) {
    auto& frame = frames[i];
    frame.packet = packets[i];
    frame.passage.port_id = port_id;
    bytes += rte_pktmbuf_pkt_len(packets[i]);
    parse(frame);
  }
  books_.port(port_id).rx_packets.add(packets.size());
  books_.port(port_id).rx_bytes.add(bytes);

  if (port_id >= snapshot_->ports.size() || snapshot_->ports[port_id].uplink == kNoUplink)
    return from_vm_port(std::span(frames.data(), packets.size()));
  for (auto& frame : std::span(frames.data(), packets.size())) from_uplink(frame);
}

// Compacts what is ours and runs its egress stage; the rest goes to its owners.
void Worker::from_vm_port(std::span<Frame> frames) noexcept {
  std::size_t ours = 0;
  for (auto& frame : frames) {
    auto& passage = frame.passage;
    frame.source = snapshot_->directory.by_source(passage.port_id, frame.parsed.source);
    if (frame.source != nullptr)
      passage.slot = frame.source->slot;
    else if (passage.port_id < snapshot_->ports.size())
      passage.slot = snapshot_->ports[passage.port_id].sole_slot;
    const auto* entry = snapshot_->vm(passage.slot);
    if (entry == nullptr) {
      books_.port(passage.port_id).unattributed_packets.add(1);
      lost(frame, frame.malformed ? wire::DropCause::kMalformed : wire::DropCause::kSpoof);
      continue;
    }
    passage.vm = entry->id;
    passage.direction = Direction::kEgress;
    if (entry->owner != id_)
      outbox_.hand_over(entry->owner, frame.packet, passage);
    else
      frames[ours++] = frame;
  }
  forwarder_.egress(frames.first(ours));
}

void Worker::from_uplink(Frame& frame) noexcept {
  if (frame.malformed) return lost(frame, wire::DropCause::kMalformed);
  frame.passage.uplink = snapshot_->ports[frame.passage.port_id].uplink;
  frame.passage.direction = Direction::kIngress;
  const auto segment = frame.parsed.segment;
  if (segment.value != 0) remove_tag(frame.packet, frame.parsed);
  if (frame.parsed.destination.is_multicast()) {
    const auto* list = snapshot_->flood(segment);
    if (list == nullptr || forwarder_.flood(frame, *list, frame.passage.port_id) == 0)
      lost(frame, wire::DropCause::kUnknownVm);
    return;
  }
  const auto* to = snapshot_->directory.by_destination(segment, frame.parsed.destination);
  if (to == nullptr) return lost(frame, wire::DropCause::kUnknownVm);
  frame.passage.vm = snapshot_->vms[to->slot].id;
  frame.passage.slot = to->slot;
  frame.passage.port_id = to->port_id;
  forwarder_.to_ingress(frame, to->owner);
}

}  // namespace foreflow::pipeline
