// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/forwarder.h"

#include <algorithm>

#include "dataplane/pipeline/forwarder_run.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

Forwarder::Forwarder(const ForwarderWiring& wiring) : w_(wiring) {
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

// Splits a burst into runs of one VM, the order within a VM kept.
template <typename Stage>
void Forwarder::by_vm(std::span<Frame> frames, Stage&& stage) noexcept {
  std::uint32_t left = frames.size() == 32 ? ~0u : (1u << frames.size()) - 1;
  Run run;  // once for the burst: clearing its arrays costs more than a short run itself
  while (left != 0) {
    run.count = 0;
    run.slot = frames[static_cast<std::size_t>(__builtin_ctz(left))].passage.slot;
    for (auto scan = left; scan != 0; scan &= scan - 1) {
      const auto at = static_cast<std::size_t>(__builtin_ctz(scan));
      if (frames[at].passage.slot != run.slot) continue;
      run.frames[run.count++] = &frames[at];
      left &= ~(1u << at);
    }
    run.vm = snapshot_->vm(run.slot);
    stage(run);
  }
}

// Counts what is offered. False, with every frame dropped: the VM is not the one that the frames were handed over for.
bool Forwarder::open(Run& run, Direction direction) noexcept {
  std::uint64_t bytes = 0;
  std::size_t kept = 0;
  std::array<std::uint8_t, wire::kSizeClasses> sizes{};
  for (std::size_t i = 0; i < run.count; ++i) {
    auto* frame = run.frames[i];
    if (run.vm == nullptr || run.vm->id != frame->passage.vm) {
      if (direction == Direction::kEgress) w_.books.port(frame->passage.port_id).unattributed_packets.add(1);
      drop(*frame, {}, wire::DropCause::kUnknownVm);
      continue;
    }
    const auto size = size_of(*frame);
    bytes += size;
    ++sizes[vm::size_class(size)];
    run.frames[kept++] = frame;
  }
  run.count = kept;
  if (kept == 0) return false;
  auto& state = w_.books.vm(run.slot).directions[index(direction)];
  state.offered_packets.add(kept);
  state.offered_bytes.add(bytes);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != 0) state.sizes[i].add(sizes[i]);
  state.peak_1ms.add(bytes, now_ns_);
  state.peak_10ms.add(bytes, now_ns_);
  return true;
}

police::Limits Forwarder::limits_of(const VmEntry& vm, vm::Slot slot, Direction direction,
                                    std::uint8_t uplink) noexcept {
  const auto at = index(direction);
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

// Asks the meter about the frames that are left in the run, and drops those that it refuses.
void Forwarder::decide(Run& run, Direction direction) noexcept {
  if (auto* queue = shaper_.queue(run.slot, direction); queue != nullptr) return decide_shaped(run, direction, *queue);
  auto& state = w_.books.vm(run.slot).directions[index(direction)];
  // Frames of one VM and burst share an uplink, but for ingress from several at once: each is charged where it came
  // from.
  std::size_t begin = 0;
  while (begin < run.count) {
    const auto uplink_of = [&](std::size_t i) {
      return direction == Direction::kEgress ? run.vm->uplink : run.frames[i]->passage.uplink;
    };
    const auto uplink = uplink_of(begin);
    auto end = begin + 1;
    while (end < run.count && uplink_of(end) == uplink) ++end;
    police::decide(limits_of(*run.vm, run.slot, direction, uplink), std::span(run.offers.data() + begin, end - begin),
                   now_ns_);
    begin = end;
  }
  for (std::size_t i = 0; i < run.count; ++i) {
    if (run.offers[i].passes) continue;
    state.policed_bytes.add(run.offers[i].size);
    drop(*run.frames[i], {run.slot, direction}, wire::DropCause::kPoliced);
    run.remove(i);
  }
}

void Forwarder::egress(std::span<Frame> frames) noexcept {
  by_vm(frames, [this](Run& run) {
    if (open(run, Direction::kEgress)) egress_run(run);
  });
}

void Forwarder::egress_run(Run& run) noexcept {
  const Account account{run.slot, Direction::kEgress};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < run.count; ++i) {
    auto* frame = run.frames[i];
    const auto route = this->route(*frame, *run.vm);
    if (route.kind == Route::Kind::kNone) {
      drop(*frame, account, route.refused);
      continue;
    }
    run.flows[kept] = w_.tracker.track({frame->parsed, bytes_of(frame->packet), run.slot, Direction::kEgress}, now_ns_);
    run.offers[kept] = {size_of(*frame), route.kind != Route::Kind::kLocal && run.vm->uplink != kNoUplink, false};
    run.routes[kept] = route;
    run.frames[kept++] = frame;
  }
  run.count = kept;
  decide(run, Direction::kEgress);
  for (std::size_t i = 0; i < run.count; ++i) {
    if (run.frames[i] == nullptr) continue;
    add_bytes(run.flows[i], Direction::kEgress, run.offers[i].size);
    forward(*run.frames[i], run.routes[i], run.vm->uplink, {run.slot, Direction::kEgress, category_of(run.flows[i])});
  }
}

Forwarder::Route Forwarder::route(const Frame& frame, const VmEntry& vm) const noexcept {
  using Kind = Route::Kind;
  Route route;
  const auto refuse = [&](wire::DropCause cause) {
    route.refused = cause;
    return route;
  };
  if (frame.malformed) return refuse(wire::DropCause::kMalformed);
  // A tag on an access port would lead into a foreign segment.
  if (frame.parsed.segment.value != 0) return refuse(wire::DropCause::kSpoof);
  if (frame.source == nullptr && !vm.allow_foreign_mac) return refuse(wire::DropCause::kSpoof);
  route.segment = frame.source != nullptr ? frame.source->segment : snapshot_->ports[frame.passage.port_id].segment;

  if (!fits(size_of(frame), snapshot_->ports[frame.passage.port_id].largest_frame))
    return refuse(wire::DropCause::kOversize);

  if (frame.parsed.destination.is_multicast()) {
    route.list = snapshot_->flood(route.segment);
    route.kind = Kind::kFlood;
    return route;
  }
  route.local = snapshot_->directory.by_destination(route.segment, frame.parsed.destination);
  if (route.local == nullptr && vm.uplink == kNoUplink) return refuse(wire::DropCause::kUnknownVm);
  const auto port_id = route.local != nullptr ? route.local->port_id : snapshot_->uplinks[vm.uplink];
  if (!fits(size_of(frame), snapshot_->ports[port_id].largest_frame)) return refuse(wire::DropCause::kMtu);
  route.kind = route.local != nullptr ? Kind::kLocal : Kind::kUplink;
  return route;
}

void Forwarder::forward(const Frame& frame, const Route& route, std::uint8_t uplink, const Account& account) noexcept {
  switch (route.kind) {
    case Route::Kind::kLocal: {
      w_.books.passed(account, size_of(frame));
      auto onward = frame;
      onward.passage = {snapshot_->vms[route.local->slot].id, route.local->slot, route.local->port_id,
                        Direction::kIngress, kNoUplink};
      return to_ingress(onward, route.local->owner);
    }
    case Route::Kind::kUplink:
      return to_uplink(frame.packet, route, uplink, account);
    case Route::Kind::kFlood:
      return flood_from_vm(frame, route, uplink, account);
    case Route::Kind::kNone:
      break;
  }
}

void Forwarder::to_uplink(rte_mbuf* packet, const Route& route, std::uint8_t uplink, const Account& account) noexcept {
  const auto size = rte_pktmbuf_pkt_len(packet);
  if (!fits(size, snapshot_->ports[snapshot_->uplinks[uplink]].largest_frame)) {
    w_.books.dropped(account, wire::DropCause::kMtu);
    rte_pktmbuf_free(packet);
    return;
  }
  if (!insert_tag(packet, route.segment)) {
    w_.books.dropped(account, wire::DropCause::kNoBuffer);
    rte_pktmbuf_free(packet);
    return;
  }
  w_.outbox.send(snapshot_->uplinks[uplink], packet, account, size);
}

void Forwarder::to_ingress(const Frame& frame, std::uint16_t owner) noexcept {
  if (owner != w_.worker) return w_.outbox.hand_over(owner, frame.packet, frame.passage);
  lane_[lane_size_++] = frame;
  if (lane_size_ == kBurst) finish();
}

void Forwarder::finish() noexcept {
  if (lane_size_ == 0) return;
  by_vm(std::span(lane_.data(), lane_size_), [this](Run& run) {
    if (open(run, Direction::kIngress)) ingress_run(run);
  });
  lane_size_ = 0;
}

void Forwarder::ingress_run(Run& run) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < run.count; ++i) {
    auto* frame = run.frames[i];
    const auto size = size_of(*frame);
    if (!fits(size, snapshot_->ports[frame->passage.port_id].largest_frame)) {
      drop(*frame, {run.slot, Direction::kIngress}, wire::DropCause::kMtu);
      continue;
    }
    run.flows[kept] =
        w_.tracker.track({frame->parsed, bytes_of(frame->packet), run.slot, Direction::kIngress}, now_ns_);
    run.offers[kept] = {size, frame->passage.uplink != kNoUplink, false};
    run.frames[kept++] = frame;
  }
  run.count = kept;
  decide(run, Direction::kIngress);
  for (std::size_t i = 0; i < run.count; ++i) {
    if (run.frames[i] == nullptr) continue;
    add_bytes(run.flows[i], Direction::kIngress, run.offers[i].size);
    w_.outbox.send(run.frames[i]->passage.port_id, run.frames[i]->packet,
                   {run.slot, Direction::kIngress, category_of(run.flows[i])}, run.offers[i].size);
  }
}

}  // namespace foreflow::pipeline
