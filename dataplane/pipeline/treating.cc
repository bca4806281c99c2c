// SPDX-License-Identifier: Apache-2.0
// The part of the forwarder that carries out the operator's rules.
#include <rte_flow.h>

#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

const offload::SoftwareTreatment* Forwarder::treatment_of(const Frame& frame, Direction direction,
                                                          const flow::FlowRecord* flow) const noexcept {
  const auto& list = snapshot_->vms[frame.slot].treatments[index(direction)];
  return list == nullptr ? nullptr : find_treatment(*list, frame.parsed, category_of(flow));
}

// False: the frame was dropped.
bool Forwarder::treat(Frame& frame, Direction direction, const flow::FlowRecord* flow) noexcept {
  const auto* treatment = treatment_of(frame, direction, flow);
  if (treatment == nullptr) return true;
  const auto fate = treater_.apply(*treatment, frame.packet, frame.parsed);
  if (fate != Treater::Fate::kGoesOn) {
    drop(frame, account_of(frame, direction),
         fate == Treater::Fate::kDrop ? wire::DropCause::kFiltered : wire::DropCause::kNoBuffer);
    return false;
  }
  steer(frame, treatment->steering());
  return true;
}

// To other queues than the common ones, or to another port than the address leads to.
void Forwarder::steer(Frame& frame, const offload::Steering& way) const noexcept {
  frame.queue_group = way.queue_group;
  if (way.queue) frame.queue = *way.queue;
  if (!way.port || !fits(frame.size, snapshot_->largest_frame(*way.port))) return;
  frame.route.kind = Route::Kind::kPort;
  frame.route.port_id = *way.port;
}

// The device has found the rule, and says where it leads.
void Forwarder::steer_as_marked(Frame& frame, Direction direction) const noexcept {
  if ((frame.packet->ol_flags & RTE_MBUF_DYNFLAG_RX_METADATA) == 0) return;
  steer(frame, offload::steering_in(*RTE_FLOW_DYNF_METADATA(frame.packet), direction));
}

}  // namespace foreflow::pipeline
