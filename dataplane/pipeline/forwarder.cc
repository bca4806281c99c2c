// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/forwarder.h"

#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

Forwarder::Forwarder(const ForwarderWiring& wiring)
    : w_(wiring), tracks_(wiring.tracker.is_on()), treater_(wiring.books, wiring.outbox, wiring.pool) {
  const auto lender = [&](UplinkLimits& uplink, Direction direction) {
    return meter::Lender(uplink.lending[index(direction)], w_.worker, vm::kMostVms);
  };
  for (auto& uplink : w_.limits.uplinks)
    lenders_.push_back({lender(uplink, Direction::kEgress), lender(uplink, Direction::kIngress)});
}

void Forwarder::begin(const Snapshot& snapshot, std::uint64_t now_ns) noexcept {
  snapshot_ = &snapshot;
  now_ns_ = now_ns;
  for (std::size_t uplink = 0; uplink < lenders_.size(); ++uplink)
    for (std::size_t at = 0; at < kDirections; ++at)
      lenders_[uplink][at].turn(w_.limits.uplinks[uplink].residuals[at].capacity(), now_ns);
  shaper_.visit([this](vm::Slot slot, Direction direction, ShapeQueue& queue) { release(slot, direction, queue); });
}

void Forwarder::adopt(vm::Slot slot, const VmEntry& vm, std::uint64_t now_ns) {
  for (const auto direction : kBothDirections) {
    const auto at = index(direction);
    auto& state = w_.books.vm(slot).directions[at];
    if (vm.limits[at]) state.meter.configure(*vm.limits[at], now_ns);
    state.borrower.set_weight(vm.weights[at]);
    if (vm.limits[at] && vm.shaped[at])
      shaper_.shape(slot, direction, vm.limits[at]->pir);
    else
      shaper_.stop(slot, direction);
  }
}

void Forwarder::forget(vm::Slot slot) noexcept {
  auto& directions = w_.books.vm(slot).directions;
  for (std::size_t at = 0; at < kDirections; ++at) {
    for (auto& uplink : lenders_) uplink[at].forget(directions[at].borrower);
    directions[at].borrower = {};
    directions[at].meter = {};
    const auto direction = static_cast<Direction>(at);
    if (auto* queue = shaper_.queue(slot, direction); queue != nullptr)
      discard(vm::kNoSlot, direction, *queue, wire::DropCause::kUnknownVm);
    shaper_.stop(slot, direction);
  }
}

void Forwarder::drop(const Frame& frame, const Account& account, wire::DropCause cause) noexcept {
  w_.books.dropped(account, cause);
  rte_pktmbuf_free(frame.packet);
}

Frame& Forwarder::spare() noexcept {
  if (spares_used_ == spares_.size()) finish();
  return spares_[spares_used_++];
}

void Forwarder::from_vm(Frame& frame) noexcept {
  w_.books.offered(frame.slot, Direction::kEgress, frame.size, now_ns_);
  if (!route(frame)) return drop(frame, account_of(frame, Direction::kEgress), frame.route.refused);
  leaving_[leaving_count_++] = &frame;
}

// Most frames go from one VM to another.
bool Forwarder::route(Frame& frame) const noexcept {
  const auto* sender = frame.attachment;
  const auto& parsed = frame.parsed;
  if (sender == nullptr || frame.malformed || parsed.segment.value != 0 || parsed.destination.is_multicast())
      [[unlikely]]
    return route_strange(frame);
  const auto* local = snapshot_->directory.by_destination(sender->segment, parsed.destination);
  if (local == nullptr || !fits(frame.size, snapshot_->ports[frame.port_id].largest_frame) ||
      !fits(frame.size, snapshot_->ports[local->port_id].largest_frame)) [[unlikely]]
    return route_strange(frame);
  frame.route = {Route::Kind::kLocal, {}, sender->segment, local, nullptr};
  return true;
}

// Any frame. False: route.refused says why it goes nowhere.
bool Forwarder::route_strange(Frame& frame) const noexcept {
  auto& route = frame.route;
  route = {};
  const auto refuse = [&](wire::DropCause cause) {
    route.refused = cause;
    return false;
  };
  const auto& vm = snapshot_->vms[frame.slot];
  const auto& port = snapshot_->ports[frame.port_id];
  const auto* sender = frame.attachment;
  if (frame.malformed) return refuse(wire::DropCause::kMalformed);
  // A tag on an access port would lead into a foreign segment.
  if (frame.parsed.segment.value != 0) return refuse(wire::DropCause::kSpoof);
  if (sender == nullptr && !vm.allow_foreign_mac) return refuse(wire::DropCause::kSpoof);
  route.segment = sender != nullptr ? sender->segment : port.segment;
  if (!fits(frame.size, port.largest_frame)) return refuse(wire::DropCause::kOversize);
  if (frame.parsed.destination.is_multicast()) {
    route.list = snapshot_->flood(route.segment);
    route.kind = Route::Kind::kFlood;
    return true;
  }
  route.local = snapshot_->directory.by_destination(route.segment, frame.parsed.destination);
  if (route.local == nullptr && vm.uplink == kNoUplink) return refuse(wire::DropCause::kUnknownVm);
  const auto port_id = route.local != nullptr ? route.local->port_id : snapshot_->uplinks[vm.uplink];
  if (!fits(frame.size, snapshot_->ports[port_id].largest_frame)) return refuse(wire::DropCause::kMtu);
  route.kind = route.local != nullptr ? Route::Kind::kLocal : Route::Kind::kUplink;
  return true;
}

void Forwarder::to_vm(Frame& frame) noexcept {
  const auto& receiver = *frame.attachment;
  frame.slot = receiver.slot;
  frame.port_id = receiver.port_id;
  if (receiver.owner != w_.worker) [[unlikely]]
    return w_.outbox.hand_over(receiver.owner, frame.packet, passage_of(frame, Direction::kIngress));
  arrive(frame);
}

void Forwarder::arrive(Frame& frame) noexcept {
  w_.books.offered(frame.slot, Direction::kIngress, frame.size, now_ns_);
  if (!fits(frame.size, snapshot_->ports[frame.port_id].largest_frame)) [[unlikely]]
    return drop(frame, account_of(frame, Direction::kIngress), wire::DropCause::kMtu);
  arriving_[arriving_count_++] = &frame;
  if (arriving_count_ == kBurst) finish();
}

void Forwarder::run() noexcept {
  for (std::size_t i = 0; i < leaving_count_; ++i) {
    auto& frame = *leaving_[i];
    auto* flow = track(frame, Direction::kEgress);
    if (snapshot_->treats && !treat(frame, Direction::kEgress, flow)) continue;
    if (!passes(frame, Direction::kEgress, is_over_uplink(frame, Direction::kEgress))) continue;
    add_bytes(flow, Direction::kEgress, frame.size);
    if (snapshot_->bypasses) offer(frame, flow);
    forward(frame, account_of(frame, Direction::kEgress, flow));
  }
  leaving_count_ = 0;
  finish();
}

void Forwarder::finish() noexcept {
  for (std::size_t i = 0; i < arriving_count_; ++i) {
    auto& frame = *arriving_[i];
    auto* flow = track(frame, Direction::kIngress);
    if (snapshot_->treats && !treat(frame, Direction::kIngress, flow)) continue;
    if (!passes(frame, Direction::kIngress, is_over_uplink(frame, Direction::kIngress))) continue;
    add_bytes(flow, Direction::kIngress, frame.size);
    if (snapshot_->bypasses) recall(frame, flow);
    w_.outbox.send(frame.port_id, frame.packet, account_of(frame, Direction::kIngress, flow));
  }
  arriving_count_ = 0;
  spares_used_ = 0;
}

flow::FlowRecord* Forwarder::track(const Frame& frame, Direction direction) noexcept {
  if (!tracks_) return nullptr;
  return w_.tracker.track({frame.parsed, bytes_of(frame.packet), frame.slot, direction}, now_ns_);
}

bool Forwarder::is_over_uplink(const Frame& frame, Direction direction) const noexcept {
  if (direction == Direction::kIngress) return frame.uplink != kNoUplink;
  const auto kind = frame.route.kind;
  return (kind == Route::Kind::kUplink || kind == Route::Kind::kFlood) &&
         snapshot_->vms[frame.slot].uplink != kNoUplink;
}

// False: it was dropped, or waits.
bool Forwarder::passes(const Frame& frame, Direction direction, bool over_uplink) noexcept {
  const auto* known = frame.attachment;
  if (known != nullptr && !known->is_policed[index(direction)] && !over_uplink && !shaper_.is_used()) return true;
  return decide(frame, direction, over_uplink);
}

bool Forwarder::decide(const Frame& frame, Direction direction, bool over_uplink) noexcept {
  auto* queue = shaper_.is_used() ? shaper_.queue(frame.slot, direction) : nullptr;
  if (queue == nullptr || queue->empty()) {
    const auto uplink = direction == Direction::kEgress ? snapshot_->vms[frame.slot].uplink : frame.uplink;
    police::Offer offer{frame.size, over_uplink, false};
    police::decide(limits_of(frame.slot, direction, uplink), std::span(&offer, 1), now_ns_);
    if (offer.passes) return true;
  }
  if (queue != nullptr)
    hold(frame, direction, *queue);
  else
    refuse(frame, direction);
  return false;
}

void Forwarder::refuse(const Frame& frame, Direction direction) noexcept {
  w_.books.vm(frame.slot).directions[index(direction)].policed_bytes.add(frame.size);
  drop(frame, account_of(frame, direction), wire::DropCause::kPoliced);
}

police::Limits Forwarder::limits_of(vm::Slot slot, Direction direction, std::uint8_t uplink) noexcept {
  const auto at = index(direction);
  const auto& vm = snapshot_->vms[slot];
  auto& state = w_.books.vm(slot).directions[at];
  police::Limits limits;
  if (vm.limits[at]) limits.meter = &state.meter;
  if (vm.group != kNoGroup) limits.group = &w_.limits.groups[vm.group].residuals[at];
  if (uplink < lenders_.size()) {
    limits.uplink = &w_.limits.uplinks[uplink].residuals[at];
    limits.lender = &lenders_[uplink][at];
    limits.borrower = &state.borrower;
  }
  return limits;
}

void Forwarder::forward(Frame& frame, const Account& account) noexcept {
  switch (frame.route.kind) {
    case Route::Kind::kLocal:
      w_.books.passed(account);
      frame.attachment = frame.route.local;
      return to_vm(frame);
    case Route::Kind::kUplink:
      return to_uplink(frame.packet, frame.route, snapshot_->vms[frame.slot].uplink, account);
    case Route::Kind::kFlood:
      return flood_from_vm(frame, account);
    case Route::Kind::kPort:
      return w_.outbox.send(frame.route.port_id, frame.packet, account);
    case Route::Kind::kNone:
      break;
  }
}

void Forwarder::to_uplink(rte_mbuf* packet, const Route& route, std::uint8_t uplink, const Account& account) noexcept {
  const auto give_up = [&](wire::DropCause cause) {
    auto uncounted = account;
    uncounted.category = Category::kUnknown;
    w_.books.dropped(uncounted, cause);
    rte_pktmbuf_free(packet);
  };
  if (!fits(rte_pktmbuf_pkt_len(packet), snapshot_->ports[snapshot_->uplinks[uplink]].largest_frame))
    return give_up(wire::DropCause::kMtu);
  if (!insert_tag(packet, route.segment)) return give_up(wire::DropCause::kNoBuffer);
  w_.outbox.send(snapshot_->uplinks[uplink], packet, account);
}

}  // namespace foreflow::pipeline
