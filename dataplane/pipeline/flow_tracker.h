// SPDX-License-Identifier: Apache-2.0
// Follows the flows of a worker's VMs: connections by TCP state, and the application by their first payloads.
// Place: dataplane/pipeline, between parsing and policing. One worker owns it.
#pragma once
#include <cstdint>
#include <span>

#include "dataplane/flow/flow_table.h"
#include "dataplane/net/parse.h"
#include "dataplane/pipeline/bypass_desk.h"
#include "dataplane/pipeline/classifying.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::pipeline {

// What one segment does to a connection. `opens`: a new one begins. A connection whose start was not seen is open.
struct TcpStep {
  flow::TcpState state = flow::TcpState::kNone;
  bool opens = false;
};
TcpStep tcp_step(flow::TcpState state, std::uint8_t flags) noexcept;

class FlowTracker {
 public:
  static constexpr std::uint32_t kAgePerPoll = 256;

  FlowTracker(const flow::FlowTableConfig& config, vm::VmTable& vms, Classifying classifying)
      : flows_(config), vms_(vms), classifying_(std::move(classifying)) {}

  struct Packet {
    const net::Parsed& parsed;
    std::span<const std::uint8_t> bytes;  // the contiguous start of the frame
    vm::Slot slot = vm::kNoSlot;
    Direction direction = Direction::kEgress;
  };
  // Where the packet's flow is looked for.
  struct Place {
    flow::FlowKey key;
    std::uint64_t digest = 0;
  };
  // In three passes over a burst: prepare() of all, prefetch() of all, track() of all.
  void prepare(const net::Parsed& parsed, vm::Slot slot, Direction direction, Place& place) const noexcept {
    flow::make_key(parsed, slot, direction, place.key);
    place.digest = flows_.digest(place.key);
    flows_.prefetch(place.digest);
  }
  [[gnu::always_inline]] void prefetch(const Place& place) const noexcept { flows_.prefetch_record(place.digest); }
  // The packet's flow; null when it has none (not IP) or the table is full. Bytes are added once the packet passes.
  flow::FlowRecord* track(const Packet& packet, const Place& place, std::uint64_t now_ns) noexcept {
    if (packet.parsed.ip_version == 0) return nullptr;
    const auto found = flows_.find_or_insert(place.key, place.digest, now_ns);
    if (found.record == nullptr) [[unlikely]] {
      vms_[packet.slot].untracked_packets.add(1);
      return nullptr;
    }
    if (found.is_new || !is_settled(*found.record, packet.parsed)) notice(*found.record, packet, found.is_new, now_ns);
    return found.record;
  }

  // The flow that the packet was tracked in before; null when it is gone.
  flow::FlowRecord* known(const Packet& packet) noexcept;

  // What the device carried of a flow, in both directions; one that it carried lives on.
  void book(const BypassCredit& credit, std::uint64_t now_ns) noexcept;

  // `signatures` may be null: nothing is classified. `worker` names the scratch space.
  void use(Signatures* signatures, std::uint16_t worker) noexcept { classifying_.use(signatures, worker); }
  void age(std::uint64_t now_ns) noexcept;
  void remove_vm(vm::Slot slot, std::uint64_t now_ns);
  const flow::FlowTable& flows() const noexcept { return flows_; }
  bool is_on() const noexcept { return flows_.capacity() != 0; }
  const Classifying& classifying() const noexcept { return classifying_; }

 private:
  // The packet tells nothing new about its flow: the verdict is there, and the connection stays what it is.
  static bool is_settled(const flow::FlowRecord& record, const net::Parsed& parsed) noexcept {
    constexpr std::uint8_t kFinSynRst = 0x07;
    if (record.decided == 0) return false;
    return record.key.protocol != net::kTcp ||
           (record.tcp == flow::TcpState::kOpen && (parsed.tcp_flags & kFinSynRst) == 0);
  }
  // What a packet may change of its flow besides the bytes: the connection's state, the verdict.
  void notice(flow::FlowRecord& record, const Packet& packet, bool is_new, std::uint64_t now_ns) noexcept;
  void follow(flow::FlowRecord& record, const Packet& packet, bool is_new) noexcept;
  void follow_tcp(flow::FlowRecord& record, const Packet& packet) noexcept;
  void ended(const flow::FlowRecord& record, std::uint64_t now_ns) noexcept;

  flow::FlowTable flows_;
  vm::VmTable& vms_;
  Classifying classifying_;
};

}  // namespace foreflow::pipeline
