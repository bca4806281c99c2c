// SPDX-License-Identifier: Apache-2.0
// Broadcast and multicast. Copies for access ports share the frame's bytes; only a copy that gets a tag is deep.
#include <algorithm>
#include <utility>

#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {

std::size_t Forwarder::flood(Frame frame, const FloodList& list, std::uint16_t except_port) noexcept {
  const vm::Attachment* last = nullptr;
  std::size_t receivers = 0;
  const auto lead = [&](rte_mbuf* packet, const vm::Attachment& receiver) {
    auto& copy = spare();
    copy = frame;
    copy.packet = packet;
    copy.attachment = &receiver;
    to_vm(copy);
  };
  for (const auto& receiver : list.receivers) {
    if (receiver.port_id == except_port) continue;
    ++receivers;
    // The last receiver gets the packet itself: until then it must not be sent, so that it can be copied.
    if (const auto* earlier = std::exchange(last, &receiver); earlier != nullptr) {
      if (auto* copy = copied(rte_pktmbuf_clone(frame.packet, w_.pool)); copy != nullptr) lead(copy, *earlier);
    }
  }
  if (last != nullptr) lead(frame.packet, *last);
  return receivers;
}

void Forwarder::flood_from_vm(const Frame& frame, const Account& account) noexcept {
  const auto& route = frame.route;
  const auto source = frame.port_id;
  const auto uplink = snapshot_->vms[frame.slot].uplink;
  const bool has_local =
      route.list != nullptr && std::any_of(route.list->receivers.begin(), route.list->receivers.end(),
                                           [&](const auto& r) { return r.port_id != source; });
  if (!has_local) {
    if (uplink != kNoUplink) return to_uplink(frame.packet, frame, uplink, account);
    return drop(frame, {account.slot, account.direction, Category::kUnknown, account.size},
                wire::DropCause::kUnknownVm);
  }
  // Counted once for its sender, here; what becomes of the copies counts for their receivers.
  w_.books.passed(account);
  if (uplink != kNoUplink) {
    auto* copy = copied(route.segment.value != 0 ? rte_pktmbuf_copy(frame.packet, w_.pool, 0, UINT32_MAX)
                                                 : rte_pktmbuf_clone(frame.packet, w_.pool));
    if (copy != nullptr) to_uplink(copy, frame, uplink, {});
  }
  flood(frame, *route.list, source);
}

rte_mbuf* Forwarder::copied(rte_mbuf* copy) noexcept {
  w_.books.total().flood_copies.add(1);
  if (copy == nullptr) w_.books.dropped({}, wire::DropCause::kNoBuffer);
  return copy;
}

}  // namespace foreflow::pipeline
