// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_tracker.h"

#include <algorithm>

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

flow::FlowRecord* FlowTracker::track(const Packet& packet, std::uint64_t now_ns) noexcept {
  if (packet.parsed.ip_version == 0 || flows_.capacity() == 0) return nullptr;
  const auto key = flow::make_key(packet.parsed, packet.slot, packet.direction);
  const auto found = flows_.find_or_insert(key, now_ns);
  if (found.record == nullptr) {
    vms_[packet.slot].untracked_packets.add(1);
    return nullptr;
  }
  if (key.protocol == net::kTcp || key.protocol == net::kUdp) follow(*found.record, packet, found.is_new);
  return found.record;
}

flow::FlowRecord* FlowTracker::known(const Packet& packet) noexcept {
  if (packet.parsed.ip_version == 0) return nullptr;
  return flows_.find(flow::make_key(packet.parsed, packet.slot, packet.direction));
}

void FlowTracker::follow(flow::FlowRecord& record, const Packet& packet, bool is_new) noexcept {
  auto& state = vms_[packet.slot];
  if (record.key.protocol == net::kTcp && !packet.parsed.fragment) {
    const bool was_active = is_active(record);
    const auto step = tcp_step(record.tcp, packet.parsed.tcp_flags);
    if (step.opens) {
      state.connections_opened.add(1);
      record.inspected = 0;  // a reused pair of ports is another conversation
      record.decided = 0;
      record.protocol = record.app = 0;
      record.category = record.confidence = 0;
    }
    const auto former = record.tcp;
    if (record.tcp != step.state) record.tcp = step.state;
    if (const bool active = is_active(record); active != was_active)
      state.connections_active.set(state.connections_active.read() + (active ? 1 : -1));
    if (was_active && record.tcp == TcpState::kClosed) count_end(state, former);
  } else if (record.key.protocol == net::kUdp && is_new) {
    state.connections_opened.add(1);
    state.connections_active.add(1);
  }
  if (record.decided == 0 && packet.parsed.payload_size != 0 && !packet.parsed.fragment) classify(record, packet);
}

void FlowTracker::classify(flow::FlowRecord& record, const Packet& packet) noexcept {
  if (inspector_ == nullptr) return;
  const auto& parsed = packet.parsed;
  if (parsed.payload_offset >= packet.bytes.size()) return;
  const auto size = std::min<std::size_t>(parsed.payload_size, packet.bytes.size() - parsed.payload_offset);
  const auto verdict = inspector_->inspect(
      *classifier_, {packet.bytes.subspan(parsed.payload_offset, size), parsed.ip_protocol, parsed.source_port,
                     parsed.destination_port, static_cast<classify::ProtocolId>(record.app)});
  record.inspected = static_cast<std::uint8_t>(record.inspected + 1) & 0x7f;
  record.decided = verdict.protocol != 0 || record.inspected >= kMostPayloads;
  record.protocol = verdict.protocol;
  record.app = record.decided ? verdict.app : verdict.suspected;
  record.category = static_cast<std::uint8_t>(verdict.category);
  record.confidence = verdict.confidence;
}

void FlowTracker::book(const BypassCredit& credit, std::uint64_t now_ns) noexcept {
  auto* record = flows_.find(credit.key);
  if (record == nullptr) return;
  if (credit.packets[0] + credit.packets[1] != 0) flows_.find_or_insert(credit.key, now_ns);  // marks it as seen
  record->egress_bytes += credit.bytes[index(Direction::kEgress)];
  record->ingress_bytes += credit.bytes[index(Direction::kIngress)];
  if (credit.ended) record->in_device = 0;
}

void FlowTracker::use(Signatures* signatures, std::uint16_t worker) noexcept {
  classifier_ = signatures == nullptr ? nullptr : signatures->classifier.get();
  inspector_ = signatures == nullptr ? nullptr : &signatures->inspectors[worker];
}

void FlowTracker::age(std::uint64_t now_ns) noexcept {
  flows_.age(now_ns, kAgePerPoll, [this](const flow::FlowRecord& record) { ended(record); });
}

void FlowTracker::remove_vm(vm::Slot slot) {
  flows_.remove_vm(slot);
  vms_[slot].connections_active.set(0);
}

void FlowTracker::ended(const flow::FlowRecord& record) noexcept {
  auto& state = vms_[record.key.vm];
  auto& active = state.connections_active;
  if (!is_active(record)) return;
  if (active.read() > 0) active.set(active.read() - 1);
  count_end(state, record.tcp);
}

}  // namespace foreflow::pipeline
