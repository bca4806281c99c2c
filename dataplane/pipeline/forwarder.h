// SPDX-License-Identifier: Apache-2.0
// The two stages of a packet, each run by the owner of the VM: egress (what a VM sends) and ingress (what reaches it).
// Place: dataplane/pipeline. One worker owns it. Packets in, packets out; none is kept and none is lost without a
// count.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/net/parse.h"
#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/flow_tracker.h"
#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/shaper.h"
#include "dataplane/pipeline/shared_limits.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/police/police.h"

namespace foreflow::pipeline {

// A packet before a stage. Its bytes are as at the VM's port: without a VLAN tag.
struct Frame {
  rte_mbuf* packet = nullptr;
  net::Parsed parsed;
  Passage passage;
  const vm::Attachment* source = nullptr;  // egress: whose MAC it carries on its port; null = a foreign one
  bool malformed = false;
};

inline void parse(Frame& frame) noexcept {
  const auto* packet = frame.packet;
  frame.malformed = net::parse({rte_pktmbuf_mtod(packet, const std::uint8_t*), rte_pktmbuf_data_len(packet)},
                               rte_pktmbuf_pkt_len(packet), frame.parsed) != net::ParseStatus::kOk;
}

struct ForwarderWiring {
  std::uint16_t worker = 0;
  rte_mempool* pool = nullptr;  // of copies
  SharedLimits& limits;
  Books& books;
  Outbox& outbox;
  FlowTracker& tracker;
};

class Forwarder {
 public:
  explicit Forwarder(const ForwarderWiring& wiring);

  // Time and configuration of the stages that follow. What waited for its limit and may pass now goes first.
  void begin(const Snapshot& snapshot, std::uint64_t now_ns) noexcept;

  // At most kBurst frames, all owned by this worker, in order of arrival.
  void egress(std::span<Frame> frames) noexcept;
  // Leads a frame to the ingress stage of its VM: here, or at the owner. Collected; see finish().
  void to_ingress(const Frame& frame, std::uint16_t owner) noexcept;
  // One copy for every port of the segment but `except_port`. Returns how many receivers there are; takes the packet
  // unless that is 0.
  std::size_t flood(const Frame& frame, const FloodList& list, std::uint16_t except_port) noexcept;
  // Runs what to_ingress() collected.
  void finish() noexcept;

  void drop(const Frame& frame, const Account& account, wire::DropCause cause) noexcept;
  // The VM of a slot as a new configuration has it; allocates where it is shaped for the first time.
  void adopt(vm::Slot slot, const VmEntry& vm, std::uint64_t now_ns);
  // The slot gets another VM.
  void forget(vm::Slot slot) noexcept;
  // Frees what still waits and counts it as policed. Once no worker runs.
  void discard_held() noexcept;

 private:
  // Where a frame goes on from the egress stage.
  struct Route {
    enum class Kind : std::uint8_t { kLocal, kUplink, kFlood, kNone } kind = Kind::kNone;
    const vm::Attachment* local = nullptr;
    const FloodList* list = nullptr;
    Segment segment;
    wire::DropCause refused = wire::DropCause::kUnknownVm;  // kNone
  };
  struct Run;  // the frames of one VM in a burst

  template <typename Stage>
  void by_vm(std::span<Frame> frames, Stage&& stage) noexcept;
  void egress_run(Run& run) noexcept;
  void ingress_run(Run& run) noexcept;
  bool open(Run& run, Direction direction) noexcept;
  void decide(Run& run, Direction direction) noexcept;
  void decide_shaped(Run& run, Direction direction, ShapeQueue& queue) noexcept;
  void hold(const Frame& frame, ShapeQueue& queue) noexcept;
  void release(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept;
  bool release_first(const VmEntry& vm, Direction direction, ShapeQueue& queue) noexcept;
  void discard(vm::Slot slot, Direction direction, ShapeQueue& queue, wire::DropCause cause) noexcept;
  police::Limits limits_of(const VmEntry& vm, vm::Slot slot, Direction direction, std::uint8_t uplink) noexcept;
  Route route(const Frame& frame, const VmEntry& vm) const noexcept;
  void forward(const Frame& frame, const Route& route, std::uint8_t uplink, const Account& account) noexcept;
  void to_uplink(rte_mbuf* packet, const Route& route, std::uint8_t uplink, const Account& account) noexcept;
  rte_mbuf* copied(rte_mbuf* copy) noexcept;
  void flood_from_vm(const Frame& frame, const Route& route, std::uint8_t uplink, const Account& account) noexcept;

  ForwarderWiring w_;
  std::vector<std::array<meter::Lender, kDirections>> lenders_;  // by uplink
  Shaper shaper_;
  const Snapshot* snapshot_ = nullptr;
  std::uint64_t now_ns_ = 0;
  std::array<Frame, kBurst> lane_;
  std::size_t lane_size_ = 0;
};

}  // namespace foreflow::pipeline
