// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/forwarder.h"

#include <algorithm>

#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {
namespace {

[[gnu::always_inline]] inline void prefetch(const FlowTracker& tracker, std::span<Frame* const> frames,
                                            Direction direction) noexcept {
  for (const auto* frame : frames) tracker.prefetch(frame->flows[index(direction)]);
}

}  // namespace

Forwarder::Forwarder(const ForwarderWiring& wiring)
    : w_(wiring), tracks_(wiring.tracker.is_on()), treater_(wiring.books, wiring.outbox, wiring.pool) {
  const auto lender = [&](UplinkLimits& uplink, Direction direction) {
    return meter::Lender(uplink.lending[index(direction)], w_.worker, vm::kMostVms);
  };
  for (auto& uplink : w_.limits.uplinks)
    lenders_.push_back({lender(uplink, Direction::kEgress), lender(uplink, Direction::kIngress)});
  for (std::size_t uplink = 0; uplink < lenders_.size(); ++uplink) {
    auto& residuals = w_.limits.uplinks[uplink].residuals;
    uplinks_.push_back(
        {police::Uplink(&residuals[0], &lenders_[uplink][0]), police::Uplink(&residuals[1], &lenders_[uplink][1])});
  }
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
  const auto* local = usual_receiver(frame);
  if (local != nullptr)
    frame.route = {Route::Kind::kLocal, {}, frame.attachment->segment, local, nullptr};
  else if (!route(frame))
    return drop(frame, account_of(frame, Direction::kEgress), frame.route.refused);
  prepare(frame, frame.slot, Direction::kEgress);
  frame.is_awaited = local != nullptr && local->owner == w_.worker;
  if (frame.is_awaited) prepare(frame, local->slot, Direction::kIngress);
  leaving_[leaving_count_++] = &frame;
}

// Most frames go from one VM to another. Null: route() has to look closer.
const vm::Attachment* Forwarder::usual_receiver(const Frame& frame) const noexcept {
  const auto* sender = frame.attachment;
  const auto& parsed = frame.parsed;
  if (sender == nullptr || frame.malformed || parsed.segment.value != 0 || parsed.destination.is_multicast())
      [[unlikely]]
    return nullptr;
  const auto* local = frame.route.local;
  if (local == nullptr || !fits(frame.size, snapshot_->ports[frame.port_id].largest_frame) ||
      !fits(frame.size, snapshot_->ports[local->port_id].largest_frame)) [[unlikely]]
    return nullptr;
  return local;
}

// Any frame. False: route.refused says why it goes nowhere.
bool Forwarder::route(Frame& frame) const noexcept {
  auto& route = frame.route;
  route = {};
  const auto refuse = [&](wire::DropCause cause) {
    route.refused = cause;
    return false;
  };
  const auto& vm = snapshot_->vms[frame.slot];
  const auto& port = snapshot_->ports[frame.port_id];
  const auto* sender = frame.attachment;
  if (frame.malformed) return refuse(fault_of(frame));
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
  const bool is_wrapped = route.local == nullptr && is_overlay(route.segment);
  const auto size = frame.size + (is_wrapped ? static_cast<std::uint32_t>(net::kOuterSize) : 0u);
  if (!fits(size, snapshot_->ports[port_id].largest_frame)) return refuse(wire::DropCause::kMtu);
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
  if (frame.uplink != kNoUplink && !snapshot_->tunnels.empty()) [[unlikely]]
    learn(frame);
  w_.books.offered(frame.slot, Direction::kIngress, frame.size, now_ns_);
  if (!fits(frame.size, snapshot_->ports[frame.port_id].largest_frame)) [[unlikely]]
    return drop(frame, account_of(frame, Direction::kIngress), wire::DropCause::kMtu);
  if (!frame.is_awaited) prepare(frame, frame.slot, Direction::kIngress);
  frame.is_awaited = false;
  arriving_[arriving_count_++] = &frame;
  if (arriving_count_ == kBurst) finish();
}

void Forwarder::run() noexcept {
  if (tracks_) prefetch(w_.tracker, std::span(leaving_.data(), leaving_count_), Direction::kEgress);
  for (std::size_t i = 0; i < leaving_count_; ++i) {
    auto& frame = *leaving_[i];
    auto* flow = track(frame, Direction::kEgress);
    frame.queue_group = 0;
    frame.queue = wire::kLastQueue;
    if (snapshot_->steers) steer_as_marked(frame, Direction::kEgress);
    if (snapshot_->treats && !treat(frame, Direction::kEgress, flow)) continue;
    if (!passes(frame, Direction::kEgress, is_over_uplink(frame, Direction::kEgress))) continue;
    add_bytes(flow, Direction::kEgress, frame.size);
    if (snapshot_->bypasses) offer(frame, flow);
    forward(frame, account_of(frame, Direction::kEgress, flow));
  }
  leaving_count_ = 0;
  finish();
  settle();
}

// What was taken from the uplinks becomes known to the other workers.
void Forwarder::settle() noexcept {
  for (auto& directions : uplinks_)
    for (auto& uplink : directions) uplink.settle(now_ns_);
}

void Forwarder::finish() noexcept {
  if (tracks_) prefetch(w_.tracker, std::span(arriving_.data(), arriving_count_), Direction::kIngress);
  for (std::size_t i = 0; i < arriving_count_; ++i) {
    auto& frame = *arriving_[i];
    auto* flow = track(frame, Direction::kIngress);
    frame.queue_group = 0;
    if (snapshot_->steers) steer_as_marked(frame, Direction::kIngress);
    if (snapshot_->treats && !treat(frame, Direction::kIngress, flow)) continue;
    if (!passes(frame, Direction::kIngress, is_over_uplink(frame, Direction::kIngress))) continue;
    add_bytes(flow, Direction::kIngress, frame.size);
    if (snapshot_->bypasses) recall(frame, flow);
    w_.outbox.send(frame.port_id, frame.packet, account_of(frame, Direction::kIngress, flow), frame.queue_group);
  }
  arriving_count_ = 0;
  spares_used_ = 0;
}

void Forwarder::prepare(Frame& frame, vm::Slot slot, Direction direction) const noexcept {
  if (tracks_) w_.tracker.prepare(frame.parsed, slot, direction, frame.flows[index(direction)]);
}

flow::FlowRecord* Forwarder::track(const Frame& frame, Direction direction) noexcept {
  if (!tracks_) return nullptr;
  return w_.tracker.track({frame.parsed, bytes_of(frame.packet), frame.slot, direction}, frame.flows[index(direction)],
                          now_ns_);
}

bool Forwarder::is_over_uplink(const Frame& frame, Direction direction) const noexcept {
  if (direction == Direction::kIngress) return frame.uplink != kNoUplink;
  const auto kind = frame.route.kind;
  return (kind == Route::Kind::kUplink || kind == Route::Kind::kFlood) &&
         snapshot_->vms[frame.slot].uplink != kNoUplink;
}

// False: it was dropped, or waits.
bool Forwarder::passes(Frame& frame, Direction direction, bool over_uplink) noexcept {
  const auto* known = frame.attachment;
  if (known != nullptr && !known->is_policed[index(direction)] && !over_uplink && !shaper_.is_used()) return true;
  return decide(frame, direction, over_uplink);
}

bool Forwarder::decide(Frame& frame, Direction direction, bool over_uplink) noexcept {
  auto* queue = shaper_.is_used() ? shaper_.queue(frame.slot, direction) : nullptr;
  if (queue == nullptr || queue->empty()) {
    const auto uplink = direction == Direction::kEgress ? snapshot_->vms[frame.slot].uplink : frame.uplink;
    const auto limits = limits_of(frame.slot, direction, uplink);
    const auto colour = police::judge(limits, Bytes{frame.size}, over_uplink, now_ns_);
    frame.is_guaranteed = limits.meter != nullptr && colour == meter::Colour::kGreen;
    if (colour != meter::Colour::kRed) return true;
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
  if (vm.is_metered[at]) limits.meter = &state.meter;
  if (vm.group != kNoGroup) limits.group = &w_.limits.groups[vm.group].residuals[at];
  // Where packets wait for their turn, room in the queue is what is lent.
  const bool is_queued = direction == Direction::kEgress && snapshot_->queued_uplinks != 0 && uplink != kNoUplink;
  if (uplink < lenders_.size() && !(is_queued && snapshot_->queues(uplink))) {
    limits.uplink = &uplinks_[uplink][at];
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
      return to_uplink(frame.packet, frame, snapshot_->vms[frame.slot].uplink, account);
    case Route::Kind::kFlood:
      return flood_from_vm(frame, account);
    case Route::Kind::kPort:
      return w_.outbox.send(frame.route.port_id, frame.packet, account, frame.queue_group);
    case Route::Kind::kNone:
      break;
  }
}

void Forwarder::to_uplink(rte_mbuf* packet, const Frame& frame, std::uint8_t uplink, const Account& account) noexcept {
  if (is_overlay(frame.route.segment)) return to_tunnel(packet, frame, uplink, account);
  if (!fits(rte_pktmbuf_pkt_len(packet), snapshot_->ports[snapshot_->uplinks[uplink]].largest_frame))
    return give_up(packet, account, wire::DropCause::kMtu);
  if (!insert_tag(packet, frame.route.segment)) return give_up(packet, account, wire::DropCause::kNoBuffer);
  leave(uplink, packet, frame, account);
}

// At once, or when the uplink's queues have room for it.
void Forwarder::leave(std::uint8_t uplink, rte_mbuf* packet, const Frame& frame, const Account& account) noexcept {
  if (snapshot_->queued_uplinks == 0 || !snapshot_->queues(uplink) || frame.queue_group != 0)
    return w_.outbox.send(snapshot_->uplinks[uplink], packet, account, frame.queue_group);
  w_.outbox.wait(uplink, {.packet = {packet, snapshot_->uplinks[uplink], account},
                          .since_ns = now_ns_,
                          .size = rte_pktmbuf_pkt_len(packet),
                          .weight = std::max(snapshot_->vms[frame.slot].weights[index(Direction::kEgress)], 1u),
                          .party = frame.slot,
                          .queue = frame.queue,
                          .guaranteed = frame.is_guaranteed});
}

// What passed the meter and cannot leave all the same; nothing was counted for its application yet.
void Forwarder::give_up(rte_mbuf* packet, const Account& account, wire::DropCause cause) noexcept {
  w_.books.dropped({account.slot, account.direction, Category::kUnknown, account.size}, cause);
  rte_pktmbuf_free(packet);
}

}  // namespace foreflow::pipeline
