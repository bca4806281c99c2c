// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/worker.h"

#include <algorithm>

#include <rte_prefetch.h>

#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {
Worker::Worker(const WorkerWiring& wiring, Classifying classifying)
    : id_(wiring.id),
      clock_(wiring.clock),
      handover_(wiring.handover),
      desk_(*wiring.desk),
      books_(wiring.vms),
      outbox_({wiring.id, wiring.shared_queues, wiring.handover, wiring.handed_over, wiring.uplink_queues}, books_),
      tracker_(wiring.flows, wiring.vms, std::move(classifying)),
      forwarder_({wiring.id, wiring.pool, wiring.limits, books_, outbox_, tracker_, *wiring.desk}),
      straight_way_(wiring.id, books_, outbox_),
      top_flows_(tracker_.flows(), tracker_.classifying().fingerprints()),
      occupants_(vm::kMostVms) {
  for (const auto& queue : wiring.uplink_queues)
    if (queue->worker() == id_) senders_.emplace_back(*queue, outbox_, books_);
}

std::size_t Worker::poll(const Snapshot& snapshot, std::uint64_t now_ns) {
  if (snapshot.serial != adopted_) adopt(snapshot, now_ns);
  snapshot_ = &snapshot;
  now_ns_ = now_ns;
  forwarder_.begin(snapshot, now_ns);
  book_bypassed(now_ns);
  auto handled = take_over();
  std::array<rte_mbuf*, kBurst> packets;
  for (auto& source : sources_) {
    const auto count = source->receive(packets, now_ns);
    if (count == 0) continue;
    receive(std::span(packets.data(), count), source->port_id());
    handled += count;
  }
  forwarder_.run();  // what had waited, if nothing else came
  outbox_.flush();
  handled += send_waiting(now_ns);
  tracker_.age(now_ns);
  top_flows_.scan(now_ns);
  return handled;
}

std::size_t Worker::drain(const Snapshot& snapshot, std::uint64_t now_ns) {
  if (snapshot.serial != adopted_) adopt(snapshot, now_ns);
  snapshot_ = &snapshot;
  now_ns_ = now_ns;
  forwarder_.begin(snapshot, now_ns);
  book_bypassed(now_ns);
  const auto handled = take_over();
  forwarder_.run();  // what had waited, if nothing else came
  outbox_.flush();
  return handled + send_waiting(now_ns);
}

std::size_t Worker::send_waiting(std::uint64_t now_ns) noexcept {
  std::size_t handled = 0;
  for (auto& sender : senders_) handled += sender.serve(*snapshot_, now_ns);
  return handled;
}

void Worker::discard_handed_over() noexcept {
  forwarder_.discard_held();
  for (auto& sender : senders_) sender.discard();
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
  for (const auto& sender : senders_) earliest = std::min(earliest, sender.next_due());
  return earliest;
}

std::uint64_t Worker::taken_over() const noexcept {
  auto count = taken_over_;
  for (const auto& sender : senders_) count += sender.taken_over();
  return count;
}

bool Worker::holds() const noexcept {
  return forwarder_.holds() || std::ranges::any_of(senders_, [](const auto& sender) { return sender.holds(); });
}

// Sources of ports that left go, those of ports that came begin; the others stay as they are.
void Worker::use_devices(std::span<const port::Port> devices) {
  const auto same = [](const port::Port& a, const port::Port& b) {
    return a.id == b.id && a.incarnation == b.incarnation;
  };
  const auto contains = [&](std::span<const port::Port> among, const port::Port& port) {
    return std::any_of(among.begin(), among.end(), [&](const auto& other) { return same(other, port); });
  };
  if (std::equal(devices.begin(), devices.end(), devices_.begin(), devices_.end(), same)) return;
  for (const auto& port : devices_) {
    if (contains(devices, port)) continue;
    std::erase_if(sources_, [&](const auto& source) { return source->port_id() == port.id; });
    outbox_.detach(port.id);
  }
  for (const auto& port : devices) {
    if (contains(devices_, port)) continue;
    for (auto& source : sources_of(id_, handover_.workers(), port, clock_)) sources_.push_back(std::move(source));
    outbox_.attach(port);
  }
  devices_.assign(devices.begin(), devices.end());
  arrival_fds_.clear();
  for (const auto& source : sources_)
    if (const int fd = source->arrival_fd(); fd >= 0) arrival_fds_.push_back(fd);
}

std::optional<std::span<const int>> Worker::arrival_fds() const noexcept {
  if (arrival_fds_.size() != sources_.size() || holds()) return std::nullopt;
  return arrival_fds_;
}

// Meters get their new rates, and a slot that changed hands forgets its former VM.
void Worker::adopt(const Snapshot& snapshot, std::uint64_t now_ns) {
  tracker_.use(snapshot.signatures.get(), id_);  // first of all: the former ones may be gone already
  use_devices(snapshot.devices);
  forwarder_.use_tunnels(snapshot);
  const auto end = std::max(snapshot.vms.size(), adopted_slots_);
  for (std::size_t slot = 0; slot < end; ++slot) {
    const auto* entry = snapshot.vm(static_cast<vm::Slot>(slot));
    if (entry != nullptr && entry->owner != id_) continue;
    auto& occupant = occupants_[slot];
    if (occupant && (entry == nullptr || *occupant != entry->id)) {
      tracker_.remove_vm(static_cast<vm::Slot>(slot), now_ns);
      forwarder_.forget(static_cast<vm::Slot>(slot));
      occupant.reset();
    }
    if (entry == nullptr) continue;
    occupant = entry->id;
    forwarder_.adopt(static_cast<vm::Slot>(slot), *entry, now_ns);
  }
  adopted_slots_ = snapshot.vms.size();
  adopted_ = snapshot.serial;
}

std::size_t Worker::take_over() noexcept {
  std::size_t handled = 0;
  std::array<rte_mbuf*, kBurst> packets;
  for (std::uint16_t from = 0; from < handover_.workers(); ++from) {
    if (from == id_) continue;
    const auto count = handover_.take(from, id_, packets);
    for (std::size_t i = 0; i < count; ++i) {
      frames_[i] = {.packet = packets[i], .route = {}, .parsed = {}};
      take_over(frames_[i], handover_.passage(packets[i]));
    }
    forwarder_.run();
    handled += count;
  }
  taken_over_ += handled;
  return handled;
}

void Worker::take_over(Frame& frame, const Passage& passage) noexcept {
  parse(frame);
  const bool leaves = passage.direction == Direction::kEgress;
  const auto* entry = snapshot_->vm(passage.slot);
  // The slot has changed hands meanwhile, or the port has left.
  if (entry == nullptr || entry->id != passage.vm || !snapshot_->has_port(passage.port_id)) {
    if (leaves) books_.port(passage.port_id).unattributed_packets.add(1);
    return lost(frame, wire::DropCause::kUnknownVm);
  }
  frame.slot = passage.slot;
  frame.port_id = passage.port_id;
  frame.uplink = passage.uplink;
  frame.remote = passage.remote;
  frame.route.segment = passage.segment;
  if (!leaves) return forwarder_.arrive(frame);
  look_up(frame);
  if (frame.attachment != nullptr && frame.attachment->slot != passage.slot) frame.attachment = nullptr;
  forwarder_.from_vm(frame);
}

// What the device carried of our VMs' flows, told by the control thread.
void Worker::book_bypassed(std::uint64_t now_ns) noexcept {
  constexpr int kMostPerPoll = 32;
  for (int count = 0; count < kMostPerPoll; ++count) {
    const auto credit = desk_.credits.pop();
    if (!credit) return;
    const auto* vm = snapshot_->vm(credit->key.vm);
    if (vm == nullptr || vm->id != credit->vm) continue;
    books_.bypassed(*credit);
    tracker_.book(*credit, now_ns);
  }
}

void Worker::receive(std::span<rte_mbuf*> packets, std::uint16_t port_id) noexcept {
  const bool is_uplink = snapshot_->ports[port_id].uplink != kNoUplink;
  std::uint64_t bytes = 0;
  for (const auto* packet : packets) {
    rte_prefetch0(rte_pktmbuf_mtod(packet, const void*));
    bytes += rte_pktmbuf_pkt_len(packet);
  }
  books_.port(port_id).rx_packets.add(packets.size());
  books_.port(port_id).rx_bytes.add(bytes);
  if (!is_uplink && forwarder_.decides_nothing())
    packets = packets.subspan(straight_way_.send(packets, port_id, *snapshot_, now_ns_));
  if (!packets.empty()) look_closely(packets, port_id, is_uplink);
}

void Worker::look_closely(std::span<rte_mbuf*> packets, std::uint16_t port_id, bool is_uplink) noexcept {
  const bool is_read = tracker_.is_on() || snapshot_->treats || !snapshot_->tunnels.empty();  // past its addresses
  for (std::size_t i = 0; i < packets.size(); ++i) {
    auto& frame = frames_[i];
    frame.packet = packets[i];
    frame.port_id = port_id;
    frame.uplink = kNoUplink;
    frame.is_awaited = false;
    if (is_read)
      parse(frame);
    else
      parse_link(frame);
    if (!is_uplink) look_up(frame);
  }
  for (auto& frame : std::span(frames_.data(), packets.size())) is_uplink ? from_uplink(frame) : from_vm_port(frame);
  forwarder_.run();
}

// Both ends, of all frames of a burst before anything is counted: what is known of a VM is on its way by then.
void Worker::look_up(Frame& frame) noexcept {
  const auto& directory = snapshot_->directory;
  const auto* sender = directory.by_source(frame.port_id, frame.parsed.source);
  frame.attachment = sender;
  frame.route.local = nullptr;
  if (sender == nullptr) return;
  books_.prefetch(sender->slot, Direction::kEgress, sender->is_policed[index(Direction::kEgress)]);
  const auto* receiver = directory.by_destination(sender->segment, frame.parsed.destination);
  frame.route.local = receiver;
  if (receiver != nullptr)
    books_.prefetch(receiver->slot, Direction::kIngress, receiver->is_policed[index(Direction::kIngress)]);
}

// To its egress stage, here or at the VM's owner.
void Worker::from_vm_port(Frame& frame) noexcept {
  const auto* sender = frame.attachment;
  if (sender != nullptr && sender->owner == id_) [[likely]] {
    frame.slot = sender->slot;
    return forwarder_.from_vm(frame);
  }
  frame.slot = vm::kNoSlot;
  if (sender != nullptr)
    frame.slot = sender->slot;
  else if (frame.port_id < snapshot_->ports.size())
    frame.slot = snapshot_->ports[frame.port_id].sole_slot;
  const auto* entry = snapshot_->vm(frame.slot);
  if (entry == nullptr) {
    books_.port(frame.port_id).unattributed_packets.add(1);
    return lost(frame, frame.malformed ? fault_of(frame) : wire::DropCause::kSpoof);
  }
  if (entry->owner != id_)
    return outbox_.hand_over(entry->owner, frame.packet, forwarder_.passage_of(frame, Direction::kEgress));
  forwarder_.from_vm(frame);
}

void Worker::from_uplink(Frame& frame) noexcept {
  if (frame.malformed) return lost(frame, fault_of(frame));
  const auto port_id = frame.port_id;
  frame.uplink = snapshot_->ports[port_id].uplink;
  frame.remote = kNoRemote;
  if (const auto* tunnel = snapshot_->tunnel(frame.uplink); tunnel != nullptr && !leave_tunnel(frame, *tunnel)) return;
  const bool was_wrapped = frame.remote != kNoRemote;
  const auto segment = was_wrapped ? frame.route.segment : frame.parsed.segment;
  if (!was_wrapped && segment.value != 0) {
    remove_tag(frame.packet, frame.parsed);
    frame.size = rte_pktmbuf_pkt_len(frame.packet);
  }
  if (frame.parsed.destination.is_multicast()) {
    const auto* list = snapshot_->flood(segment);
    if (list == nullptr || forwarder_.flood(frame, *list, port_id) == 0) lost(frame, wire::DropCause::kUnknownVm);
    return;
  }
  frame.attachment = snapshot_->directory.by_destination(segment, frame.parsed.destination);
  if (frame.attachment == nullptr) return lost(frame, wire::DropCause::kUnknownVm);
  forwarder_.to_vm(frame);
}

}  // namespace foreflow::pipeline
