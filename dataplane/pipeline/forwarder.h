// SPDX-License-Identifier: Apache-2.0
// The two stages of a packet, each run by the owner of the VM: egress (what a VM sends) and ingress (what reaches it).
// Place: dataplane/pipeline. One worker owns it. Packets in, packets out; none is kept and none is lost without a
// count. A stage works on a whole burst in order of arrival, whatever VMs its packets belong to: first everything that
// asks memory for something (counts, route, the flow's place), then, over the burst again, what uses the answers.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/net/parse.h"
#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/flow_tracker.h"
#include "dataplane/pipeline/left_work.h"
#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/shaper.h"
#include "dataplane/pipeline/shared_limits.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/whereabouts.h"
#include "dataplane/police/police.h"

namespace foreflow::pipeline {

// Where a frame goes on from the egress stage.
struct Route {
  enum class Kind : std::uint8_t { kLocal, kUplink, kFlood, kPort, kNone } kind = Kind::kNone;
  wire::DropCause refused = wire::DropCause::kUnknownVm;  // kNone
  Segment segment;
  const vm::Attachment* local = nullptr;
  const FloodList* list = nullptr;
  std::uint16_t port_id = 0;  // kPort
};

// A packet in a stage of one VM. Its bytes are as at the VM's port: without a VLAN tag.
struct Frame {
  rte_mbuf* packet = nullptr;
  const vm::Attachment* attachment = nullptr;  // the VM's; egress: null if the source MAC is not the VM's
  std::uint32_t size = 0;
  vm::Slot slot = vm::kNoSlot;
  std::uint16_t port_id = 0;        // egress: where it was received; ingress: where the VM is
  std::uint8_t uplink = kNoUplink;  // ingress: the uplink that it came from
  RemoteEnd remote = kNoRemote;     // where there is one: the other end of its tunnel, in route.segment
  bool malformed = false;
  std::uint8_t queue_group = 0;           // of the port where it leaves
  std::uint8_t queue = wire::kLastQueue;  // of the uplink's, where it waits
  bool is_guaranteed = false;             // by its VM's limit
  bool is_awaited = false;                // flows[kIngress] is prepared: a stage before knew where it goes
  Route route;                            // egress
  net::Parsed parsed;
  std::array<FlowTracker::Place, kDirections> flows;
};

inline std::span<const std::uint8_t> bytes_of(const rte_mbuf* packet) noexcept {
  return {rte_pktmbuf_mtod(packet, const std::uint8_t*), rte_pktmbuf_data_len(packet)};
}

// The second look at a frame that the parser does not take, or that its guest left work on: headers in several buffers
// are gathered, what was left is done. Malformed is also what nobody here can do; fault_of() tells the two apart.
void look_closer(Frame& frame) noexcept;
// The same for the headers of a tunnel, which the parser takes for payload.
void gather_headers(Frame& frame) noexcept;
inline wire::DropCause fault_of(const Frame& frame) noexcept {
  return may_be_left(*frame.packet) ? wire::DropCause::kOffload : wire::DropCause::kMalformed;
}

inline void parse(Frame& frame) noexcept {
  frame.size = rte_pktmbuf_pkt_len(frame.packet);
  frame.malformed = net::parse(bytes_of(frame.packet), frame.size, frame.parsed) != net::ParseStatus::kOk;
  if (frame.malformed || may_be_left(*frame.packet)) [[unlikely]]
    look_closer(frame);
}

// Enough where no flow is followed and no VM treated.
inline void parse_link(Frame& frame) noexcept {
  frame.size = rte_pktmbuf_pkt_len(frame.packet);
  frame.malformed = net::parse_link(bytes_of(frame.packet), frame.size, frame.parsed) != net::ParseStatus::kOk;
  if (frame.malformed || may_be_left(*frame.packet)) [[unlikely]]
    look_closer(frame);
}

inline Category category_of(const flow::FlowRecord* flow) noexcept {
  return flow == nullptr ? Category::kUnknown : static_cast<Category>(flow->category);
}

// To whom the frame counts; `flow`: its record, if it has one.
inline Account account_of(const Frame& frame, Direction direction, const flow::FlowRecord* flow = nullptr) noexcept {
  return {frame.slot, direction, category_of(flow), frame.size};
}

inline void add_bytes(flow::FlowRecord* flow, Direction direction, std::uint32_t size) noexcept {
  if (flow == nullptr) return;
  flow->add_packets(1);
  if (direction == Direction::kEgress)
    flow->egress_bytes += size;
  else
    flow->ingress_bytes += size;
}

struct ForwarderWiring {
  std::uint16_t worker = 0;
  rte_mempool* pool = nullptr;  // of copies
  SharedLimits& limits;
  Books& books;
  Outbox& outbox;
  FlowTracker& tracker;
  BypassDesk& desk;
};

class Forwarder {
 public:
  explicit Forwarder(const ForwarderWiring& wiring);

  // Time and configuration of the stages that follow. What waited for its limit and may pass now goes first.
  void begin(const Snapshot& snapshot, std::uint64_t now_ns) noexcept;

  // The egress stage of a VM that this worker owns; `attachment` and `route.local` are looked up. At most kBurst frames
  // until run(), and they stay until then.
  void from_vm(Frame& frame) noexcept;
  // The ingress stage of the VM of frame.attachment: here, until run(), or at its owner.
  void to_vm(Frame& frame) noexcept;
  // The ingress stage of a VM that this worker owns, of a frame that has its slot and port.
  void arrive(Frame& frame) noexcept;
  // One copy for every port of the segment but `except_port`. Returns how many receivers there are; takes the packet
  // unless that is 0.
  std::size_t flood(Frame frame, const FloodList& list, std::uint16_t except_port) noexcept;
  // Decides on the frames that were given, and sends them on.
  void run() noexcept;

  void drop(const Frame& frame, const Account& account, wire::DropCause cause) noexcept;
  // The stage's VM, for its owner.
  Passage passage_of(const Frame& frame, Direction direction) const noexcept {
    if (frame.uplink == kNoUplink) return {snapshot_->vms[frame.slot].id, frame.slot, frame.port_id, direction};
    return {snapshot_->vms[frame.slot].id,
            frame.slot,
            frame.port_id,
            direction,
            frame.uplink,
            frame.remote,
            frame.route.segment};
  }
  // The VM of a slot as a new configuration has it; allocates where it is shaped for the first time.
  void adopt(vm::Slot slot, const VmEntry& vm, std::uint64_t now_ns);
  // Other ends than before: what was learnt of them is forgotten. Allocates.
  void use_tunnels(const Snapshot& snapshot);
  // The slot gets another VM.
  void forget(vm::Slot slot) noexcept;
  // Packets wait for their limit.
  bool holds() const noexcept { return shaper_.holds(); }
  // Nothing is decided for frames between VMs without limits and treatments. (Only flows that are followed can leave
  // for the device.)
  bool decides_nothing() const noexcept { return !tracks_ && !shaper_.is_used(); }
  // Frees what still waits and counts it as policed. Once no worker runs.
  void discard_held() noexcept;

 private:
  Frame& spare() noexcept;
  const vm::Attachment* usual_receiver(const Frame& frame) const noexcept;
  bool route(Frame& frame) const noexcept;
  void prepare(Frame& frame, vm::Slot slot, Direction direction) const noexcept;
  flow::FlowRecord* track(const Frame& frame, Direction direction) noexcept;
  bool passes(Frame& frame, Direction direction, bool over_uplink) noexcept;
  bool decide(Frame& frame, Direction direction, bool over_uplink) noexcept;
  void refuse(const Frame& frame, Direction direction) noexcept;
  void finish() noexcept;
  void settle() noexcept;

  bool treat(Frame& frame, Direction direction, const flow::FlowRecord* flow) noexcept;
  const offload::SoftwareTreatment* treatment_of(const Frame& frame, Direction direction,
                                                 const flow::FlowRecord* flow) const noexcept;
  void steer(Frame& frame, const offload::Steering& way) const noexcept;
  void steer_as_marked(Frame& frame, Direction direction) const noexcept;
  void offer(const Frame& frame, flow::FlowRecord* flow) noexcept;
  void recall(const Frame& frame, flow::FlowRecord* flow) noexcept;

  void hold(const Frame& frame, Direction direction, ShapeQueue& queue) noexcept;
  void unhold(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept;
  void release(vm::Slot slot, Direction direction, ShapeQueue& queue) noexcept;
  bool release_first(Direction direction, ShapeQueue& queue) noexcept;
  void discard(vm::Slot slot, Direction direction, ShapeQueue& queue, wire::DropCause cause) noexcept;

  police::Limits limits_of(vm::Slot slot, Direction direction, std::uint8_t uplink) noexcept;
  bool is_over_uplink(const Frame& frame, Direction direction) const noexcept;
  void forward(Frame& frame, const Account& account) noexcept;
  void to_uplink(rte_mbuf* packet, const Frame& frame, std::uint8_t uplink, const Account& account) noexcept;
  void leave(std::uint8_t uplink, rte_mbuf* packet, const Frame& frame, const Account& account) noexcept;
  struct Underlay {
    std::uint8_t uplink = kNoUplink;
    Ipv4Address remote;
  };
  void to_tunnel(rte_mbuf* packet, const Frame& frame, std::uint8_t uplink, const Account& account) noexcept;
  void wrap(rte_mbuf* packet, const Frame& frame, const Underlay& to, const Account& account) noexcept;
  void learn(const Frame& frame) noexcept;
  void give_up(rte_mbuf* packet, const Account& account, wire::DropCause cause) noexcept;
  rte_mbuf* copied(rte_mbuf* copy) noexcept;
  void flood_from_vm(const Frame& frame, const Account& account) noexcept;

  ForwarderWiring w_;
  bool tracks_;
  std::vector<std::array<meter::Lender, kDirections>> lenders_;   // by uplink
  std::vector<std::array<police::Uplink, kDirections>> uplinks_;  // the same, during a poll
  Treater treater_;
  Shaper shaper_;
  Whereabouts whereabouts_;
  std::vector<std::vector<Ipv4Address>> remotes_;  // by uplink, of the tunnels in use
  const Snapshot* snapshot_ = nullptr;
  std::uint64_t now_ns_ = 0;
  std::array<Frame*, kBurst> leaving_;  // that passed from_vm()
  std::size_t leaving_count_ = 0;
  std::array<Frame*, kBurst> arriving_;  // that passed to_vm()
  std::size_t arriving_count_ = 0;
  std::array<Frame, kBurst> spares_;  // of copies and of packets that waited; free after finish()
  std::size_t spares_used_ = 0;
};

}  // namespace foreflow::pipeline
