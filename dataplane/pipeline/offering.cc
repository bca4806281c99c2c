// SPDX-License-Identifier: Apache-2.0
// The part of the forwarder that decides which flows the device may carry.
#include "dataplane/pipeline/forwarder.h"

namespace foreflow::pipeline {
namespace {

static_assert(flow::FlowRecord::kMostPackets >= wire::kMostBypassPackets, "a threshold that no flow could reach");

// A segment by which a connection begins or ends.
bool is_turn(const net::Parsed& packet) noexcept {
  constexpr std::uint8_t kSynFinRst = 0x07;
  return packet.ip_protocol == net::kTcp && (packet.tcp_flags & kSynFinRst) != 0;
}

bool is_steady(const flow::FlowRecord& flow) noexcept {
  return flow.key.protocol == net::kUdp || (flow.key.protocol == net::kTcp && flow.tcp == flow::TcpState::kOpen);
}

}  // namespace

// A flow is worth it once it is long; it must be known what it is, or nobody who could tell is there.
void Forwarder::offer(const Frame& frame, flow::FlowRecord* flow) noexcept {
  if (flow == nullptr) return;
  if (flow->in_device != 0) return recall(frame, flow);
  const auto& vm = snapshot_->vms[frame.slot];
  const auto& route = frame.route;
  if (vm.bypasses.empty() || frame.attachment == nullptr || frame.parsed.fragment) return;
  if (route.kind != Route::Kind::kUplink || route.segment.value != 0 || !is_steady(*flow)) return;
  if (flow->decided == 0 && (snapshot_->signatures != nullptr || vm.treated.any())) return;
  const auto category = category_of(flow);
  if (vm.treated[index(category)]) return;
  const auto* bypass = offload::bypass_for(vm.bypasses, category);
  if (bypass == nullptr || flow->packets < bypass->least_packets ||
      flow->egress_bytes + flow->ingress_bytes < bypass->least_bytes)
    return;
  const bool asked = w_.desk.requests.push({.key = flow->key,
                                            .vm = vm.id,
                                            .back = false,
                                            .category = category,
                                            .vm_mac = frame.parsed.source,
                                            .next_hop = frame.parsed.destination,
                                            .vm_port = frame.port_id,
                                            .uplink_port = snapshot_->uplinks[vm.uplink],
                                            .idle_seconds = bypass->idle_seconds});
  if (asked) flow->in_device = 1;
}

// A connection that begins or ends is followed here.
void Forwarder::recall(const Frame& frame, flow::FlowRecord* flow) noexcept {
  if (flow == nullptr || flow->in_device == 0 || !is_turn(frame.parsed)) return;
  const auto vm = snapshot_->vms[frame.slot].id;
  if (w_.desk.requests.push({.key = flow->key, .vm = vm, .back = true})) flow->in_device = 0;
}

}  // namespace foreflow::pipeline
