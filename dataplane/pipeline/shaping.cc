// SPDX-License-Identifier: Apache-2.0
// The part of the forwarder that holds packets back. One packet at a time: what follows a packet that waits, waits too.
#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

void Forwarder::hold(const Frame& frame, Direction direction, ShapeQueue& queue) noexcept {
  if (!queue.push({frame.packet, passage_of(frame, direction), frame.size, now_ns_})) return refuse(frame, direction);
  auto& state = w_.books.vm(frame.slot).directions[index(direction)];
  state.held_packets.add(1);
  state.held_bytes.add(frame.size);
  shaper_.note_busy(frame.slot, direction);
}

// The first packet of the queue leaves it. Of no slot: its VM is gone, for which it counts as held for ever.
void Forwarder::unhold(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept {
  if (slot != vm::kNoSlot) {
    auto& state = w_.books.vm(slot).directions[index(direction)];
    state.held_packets.add(~std::uint64_t{0});
    state.held_bytes.add(std::uint64_t{0} - queue.front().size);
  }
  queue.pop();
}

void Forwarder::release(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept {
  const auto* vm = snapshot_->vm(slot);
  if (vm == nullptr || queue.empty() || vm->id != queue.front().passage.vm)
    return discard(vm::kNoSlot, direction, queue, wire::DropCause::kUnknownVm);
  for (std::size_t count = 0; count < kBurst && !queue.empty(); ++count)
    if (!release_first(direction, queue)) return;
}

// False: the first packet has to wait on. The configuration may have changed since it came, so it is routed again.
bool Forwarder::release_first(Direction direction, ShapeQueue& queue) noexcept {
  const auto waiting = queue.front();
  const auto& passage = waiting.passage;
  auto& state = w_.books.vm(passage.slot).directions[index(direction)];
  auto& frame = spare();
  frame = {.packet = waiting.packet,
           .slot = passage.slot,
           .port_id = passage.port_id,
           .uplink = passage.uplink,
           .route = {},
           .parsed = {}};
  const auto give_up = [&](wire::DropCause cause) {
    unhold(passage.slot, direction, queue);
    if (cause == wire::DropCause::kPoliced) return refuse(frame, direction), true;
    drop(frame, {passage.slot, direction, Category::kUnknown, waiting.size}, cause);
    return true;
  };
  frame.size = waiting.size;
  const auto waited_ns = now_ns_ - waiting.since_ns;
  if (waited_ns > ShapeQueue::kMostNs) return give_up(wire::DropCause::kPoliced);
  parse(frame);
  if (direction == Direction::kEgress) {
    frame.attachment = snapshot_->directory.by_source(passage.port_id, frame.parsed.source);
    if (!route(frame)) return give_up(frame.route.refused);
  } else if (!fits(waiting.size, snapshot_->largest_frame(passage.port_id))) {
    return give_up(wire::DropCause::kMtu);
  }
  auto* flow = w_.tracker.known({frame.parsed, bytes_of(frame.packet), passage.slot, direction});
  if (snapshot_->steers) steer_as_marked(frame, direction);
  if (snapshot_->treats)
    if (const auto* treatment = treatment_of(frame, direction, flow)) steer(frame, treatment->steering());
  const auto uplink = direction == Direction::kEgress ? snapshot_->vms[passage.slot].uplink : passage.uplink;
  const auto limits = limits_of(passage.slot, direction, uplink);
  const auto colour = police::judge(limits, Bytes{waiting.size}, is_over_uplink(frame, direction), now_ns_);
  if (colour == meter::Colour::kRed) return false;
  frame.is_guaranteed = limits.meter != nullptr && colour == meter::Colour::kGreen;

  unhold(passage.slot, direction, queue);
  state.delayed_packets.add(1);
  if (waited_ns >= ShapeQueue::kMarkNs && mark_congestion(frame.packet, frame.parsed)) state.marked_packets.add(1);
  add_bytes(flow, direction, waiting.size);
  const auto account = account_of(frame, direction, flow);
  if (direction == Direction::kEgress)
    forward(frame, account);
  else
    w_.outbox.send(passage.port_id, frame.packet, account, frame.queue_group);
  return true;
}

void Forwarder::discard(vm::Slot slot, Direction direction, ShapeQueue& queue, wire::DropCause cause) noexcept {
  while (!queue.empty()) {
    const auto waiting = queue.front();
    unhold(slot, direction, queue);
    w_.books.dropped({slot, direction, Category::kUnknown, waiting.size}, cause);
    rte_pktmbuf_free(waiting.packet);
  }
}

void Forwarder::discard_held() noexcept {
  shaper_.visit([this](vm::Slot slot, Direction direction, ShapeQueue& queue) {
    discard(slot, direction, queue, wire::DropCause::kPoliced);
  });
}

}  // namespace foreflow::pipeline
