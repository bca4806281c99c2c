// SPDX-License-Identifier: Apache-2.0
// The part of the forwarder that carries out the operator's rules.
#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

// False: the frame was dropped.
bool Forwarder::treat(Frame& frame, Direction direction, const flow::FlowRecord* flow) noexcept {
  const auto& list = snapshot_->vms[frame.slot].treatments[index(direction)];
  if (list == nullptr) return true;
  const auto* treatment = find_treatment(*list, frame.parsed, category_of(flow));
  if (treatment == nullptr) return true;
  const auto fate = treater_.apply(*treatment, frame.packet, frame.parsed);
  if (fate != Treater::Fate::kGoesOn) {
    drop(frame, account_of(frame, direction),
         fate == Treater::Fate::kDrop ? wire::DropCause::kFiltered : wire::DropCause::kNoBuffer);
    return false;
  }
  if (treatment->steer_port) steer(frame, flow);
  return true;
}

// The way of a frame that a rule leads to another port than its address does.
void Forwarder::steer(Frame& frame, const flow::FlowRecord* flow) const noexcept {
  const auto& list = snapshot_->vms[frame.slot].treatments[index(Direction::kEgress)];
  if (list == nullptr) return;
  const auto* treatment = find_treatment(*list, frame.parsed, category_of(flow));
  if (treatment == nullptr || !treatment->steer_port) return;
  if (!fits(frame.size, snapshot_->largest_frame(*treatment->steer_port))) return;
  frame.route.kind = Route::Kind::kPort;
  frame.route.port_id = *treatment->steer_port;
}

}  // namespace foreflow::pipeline
