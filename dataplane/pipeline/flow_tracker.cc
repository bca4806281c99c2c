// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_tracker.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kAck = 0x10;

using flow::TcpState;

bool is_active(const flow::FlowRecord& record) noexcept {
  if (record.key.protocol == net::kUdp) return true;
  return record.key.protocol == net::kTcp && record.tcp != TcpState::kNone && record.tcp != TcpState::kClosed;
}

// `former`: the state that the connection ended in; it failed if it was never established.
void count_end(vm::VmState& state, TcpState former) noexcept {
  (former == TcpState::kOpening ? state.connections_failed : state.connections_closed).add(1);
}

// Of a packet with SYN.
flow::Opener opener_of(const FlowTracker::Packet& packet) noexcept {
  const bool answers = (packet.parsed.tcp_flags & kAck) != 0;
  const bool leaves = packet.direction == Direction::kEgress;
  return leaves != answers ? flow::Opener::kLocal : flow::Opener::kRemote;
}

}  // namespace

TcpStep tcp_step(TcpState state, std::uint8_t flags) noexcept {
  if ((flags & kRst) != 0) return {TcpState::kClosed, false};
  const bool opening = (flags & kSyn) != 0 && (flags & kAck) == 0;
  if (opening && (state == TcpState::kNone || state == TcpState::kClosed)) return {TcpState::kOpening, true};
  if ((flags & kFin) != 0) return {state == TcpState::kClosing ? TcpState::kClosed : TcpState::kClosing, false};
  switch (state) {
    case TcpState::kNone:
      return {TcpState::kOpen, false};
    case TcpState::kOpening:
      return {(flags & kSyn) != 0 ? TcpState::kOpening : TcpState::kOpen, false};
    default:
      return {state, false};
  }
}

flow::FlowRecord* FlowTracker::known(const Packet& packet) noexcept {
  if (packet.parsed.ip_version == 0) return nullptr;
  return flows_.find(flow::make_key(packet.parsed, packet.slot, packet.direction));
}

void FlowTracker::notice(flow::FlowRecord& record, const Packet& packet, bool is_new, std::uint64_t now_ns) noexcept {
  follow(record, packet, is_new);
  if (record.decided == 0 && packet.parsed.payload_size != 0 && !packet.parsed.fragment)
    classifying_.look(record, packet.parsed, packet.bytes, packet.direction, now_ns);
}

void FlowTracker::follow(flow::FlowRecord& record, const Packet& packet, bool is_new) noexcept {
  if (record.key.protocol == net::kTcp && !packet.parsed.fragment) {
    follow_tcp(record, packet);
  } else if (record.key.protocol == net::kUdp && is_new) {
    auto& state = vms_[packet.slot];
    state.connections_opened.add(1);
    state.connections_active.add(1);
  }
}

void FlowTracker::book(const BypassCredit& credit, std::uint64_t now_ns) noexcept {
  auto* record = flows_.find(credit.key);
  if (record == nullptr) return;
  if (credit.packets[0] + credit.packets[1] != 0) flows_.find_or_insert(credit.key, now_ns);  // marks it as seen
  record->egress_bytes += credit.bytes[index(Direction::kEgress)];
  record->ingress_bytes += credit.bytes[index(Direction::kIngress)];
  record->add_packets(credit.packets[0] + credit.packets[1]);
  if (credit.ended) record->in_device = 0;
}

void FlowTracker::follow_tcp(flow::FlowRecord& record, const Packet& packet) noexcept {
  auto& state = vms_[packet.slot];
  const bool was_active = is_active(record);
  const auto step = tcp_step(record.tcp, packet.parsed.tcp_flags);
  if (step.opens) {
    state.connections_opened.add(1);
    classifying_.restart(record);  // a reused pair of ports is another conversation
  }
  if ((packet.parsed.tcp_flags & kSyn) != 0) record.opener = opener_of(packet);
  const auto former = record.tcp;
  if (record.tcp != step.state) record.tcp = step.state;
  if (const bool active = is_active(record); active != was_active)
    state.connections_active.set(state.connections_active.read() + (active ? 1 : -1));
  if (was_active && record.tcp == TcpState::kClosed) count_end(state, former);
}

void FlowTracker::age(std::uint64_t now_ns) noexcept {
  flows_.age(now_ns, kAgePerPoll, [&](const flow::FlowRecord& record) { ended(record, now_ns); });
}

void FlowTracker::remove_vm(vm::Slot slot, std::uint64_t now_ns) {
  flows_.remove_vm(slot, [&](const flow::FlowRecord& record) { classifying_.ended(record, now_ns); });
  classifying_.forget(slot);
  vms_[slot].connections_active.set(0);
}

void FlowTracker::ended(const flow::FlowRecord& record, std::uint64_t now_ns) noexcept {
  classifying_.ended(record, now_ns);
  auto& state = vms_[record.key.vm];
  auto& active = state.connections_active;
  if (!is_active(record)) return;
  if (active.read() > 0) active.set(active.read() - 1);
  count_end(state, record.tcp);
}

}  // namespace foreflow::pipeline
