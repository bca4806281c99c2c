// SPDX-License-Identifier: Apache-2.0
// The part of the forwarder that holds packets back. One packet at a time: what follows a packet that waits, waits too.
#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/forwarder_run.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

void Forwarder::decide_shaped(Run& run, Direction direction, ShapeQueue& queue) noexcept {
  for (std::size_t i = 0; i < run.count; ++i) {
    const auto& frame = *run.frames[i];
    const auto uplink = direction == Direction::kEgress ? run.vm->uplink : frame.passage.uplink;
    if (queue.empty()) {
      police::decide(limits_of(*run.vm, run.slot, direction, uplink), std::span(&run.offers[i], 1), now_ns_);
      if (run.offers[i].passes) continue;
    }
    hold(frame, queue);
    run.remove(i);
  }
}

void Forwarder::hold(const Frame& frame, ShapeQueue& queue) noexcept {
  const auto size = rte_pktmbuf_pkt_len(frame.packet);
  const auto& passage = frame.passage;
  if (queue.push({frame.packet, passage, size, now_ns_})) return shaper_.note_busy(passage.slot, passage.direction);
  w_.books.vm(passage.slot).directions[index(passage.direction)].policed_bytes.add(size);
  drop(frame, {passage.slot, passage.direction}, wire::DropCause::kPoliced);
}

void Forwarder::release(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept {
  const auto* vm = snapshot_->vm(slot);
  if (vm == nullptr || queue.empty() || vm->id != queue.front().passage.vm)
    return discard(vm::kNoSlot, direction, queue, wire::DropCause::kUnknownVm);
  for (std::size_t count = 0; count < kBurst && !queue.empty(); ++count)
    if (!release_first(*vm, direction, queue)) return;
}

// False: the first packet has to wait on. The configuration may have changed since it came, so it is routed again.
bool Forwarder::release_first(const VmEntry& vm, Direction direction, ShapeQueue& queue) noexcept {
  const auto waiting = queue.front();
  const Account account{waiting.passage.slot, direction};
  auto& state = w_.books.vm(account.slot).directions[index(direction)];
  Frame frame{.packet = waiting.packet, .parsed = {}, .passage = waiting.passage};
  const auto give_up = [&](wire::DropCause cause) {
    if (cause == wire::DropCause::kPoliced) state.policed_bytes.add(waiting.size);
    queue.pop();
    drop(frame, account, cause);
    return true;
  };
  const auto waited_ns = now_ns_ - waiting.since_ns;
  if (waited_ns > ShapeQueue::kMostNs) return give_up(wire::DropCause::kPoliced);
  parse(frame);
  Route route;
  police::Offer offer{waiting.size, waiting.passage.uplink != kNoUplink, false};
  if (direction == Direction::kEgress) {
    frame.source = snapshot_->directory.by_source(waiting.passage.port_id, frame.parsed.source);
    route = this->route(frame, vm);
    if (route.kind == Route::Kind::kNone) return give_up(route.refused);
    offer.over_uplink = route.kind != Route::Kind::kLocal && vm.uplink != kNoUplink;
  } else if (!fits(waiting.size, snapshot_->largest_frame(waiting.passage.port_id))) {
    return give_up(wire::DropCause::kMtu);
  }
  const auto uplink = direction == Direction::kEgress ? vm.uplink : waiting.passage.uplink;
  police::decide(limits_of(vm, account.slot, direction, uplink), std::span(&offer, 1), now_ns_);
  if (!offer.passes) return false;

  queue.pop();
  state.delayed_packets.add(1);
  if (waited_ns >= ShapeQueue::kMarkNs && mark_congestion(frame.packet, frame.parsed)) state.marked_packets.add(1);
  auto* flow = w_.tracker.known({frame.parsed, bytes_of(frame.packet), account.slot, direction});
  add_bytes(flow, direction, waiting.size);
  const Account passing{account.slot, direction, category_of(flow)};
  if (direction == Direction::kEgress)
    forward(frame, route, vm.uplink, passing);
  else
    w_.outbox.send(waiting.passage.port_id, frame.packet, passing, waiting.size);
  return true;
}

void Forwarder::discard(vm::Slot slot, Direction direction, ShapeQueue& queue, wire::DropCause cause) noexcept {
  while (!queue.empty()) {
    const auto waiting = queue.front();
    queue.pop();
    drop({.packet = waiting.packet, .parsed = {}, .passage = {}}, {slot, direction}, cause);
  }
}

void Forwarder::discard_held() noexcept {
  shaper_.visit([this](vm::Slot slot, Direction direction, ShapeQueue& queue) {
    discard(slot, direction, queue, wire::DropCause::kPoliced);
  });
}

}  // namespace foreflow::pipeline
