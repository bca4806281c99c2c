// SPDX-License-Identifier: Apache-2.0
// One worker: receives bursts, leads each packet to the owner of its VM, and runs the stages of the VMs it owns.
// Place: dataplane/pipeline. Thread safety: poll(), drain() and discard_handed_over() by one at a time; counters and
// top flows by the control thread. Time is handed in with each poll.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/bypass_desk.h"
#include "dataplane/pipeline/flow_tracker.h"
#include "dataplane/pipeline/forwarder.h"
#include "dataplane/pipeline/handover.h"
#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/source.h"
#include "dataplane/pipeline/straight_way.h"
#include "dataplane/pipeline/top_flows.h"

namespace foreflow::pipeline {

struct WorkerWiring {
  std::uint16_t id = 0;
  config::ClockSource clock = config::ClockSource::kWall;
  std::span<SharedQueue> shared_queues;
  SharedLimits& limits;
  rte_mempool* pool = nullptr;
  Handover& handover;
  vm::VmTable& vms;
  flow::FlowTableConfig flows;
  std::atomic<std::uint64_t>* handed_over = nullptr;  // see OutboxWiring
  BypassDesk* desk = nullptr;
  std::span<const std::unique_ptr<UplinkQueue>> uplink_queues = {};
};

class Worker {
 public:
  Worker(const WorkerWiring& wiring, Classifying classifying);

  // One round over sources and rings; every packet taken is forwarded or freed when it returns. Returns how many.
  std::size_t poll(const Snapshot& snapshot, std::uint64_t now_ns);
  // The same without taking anything new from ports.
  std::size_t drain(const Snapshot& snapshot, std::uint64_t now_ns);
  // Frees what others still gave to this worker, or what waits for its limit, and counts it as lost. By the control
  // thread, once no worker runs.
  void discard_handed_over() noexcept;

  // The earliest time at which a source has something (captures), for poll()'s caller.
  std::uint64_t next_due() noexcept;
  std::uint64_t taken_over() const noexcept;
  // Packets wait here for their time.
  bool holds() const noexcept;
  // What tells of packets in its queues; nullopt: not all of them have that, or some packets wait here for their time.
  std::optional<std::span<const int>> arrival_fds() const noexcept;

  const Books& books() const noexcept { return books_; }
  const Classifying& classifying() const noexcept { return tracker_.classifying(); }
  TopFlows& top_flows() noexcept { return top_flows_; }

 private:
  void adopt(const Snapshot& snapshot, std::uint64_t now_ns);
  void use_devices(std::span<const port::Port> devices);
  std::size_t take_over() noexcept;
  std::size_t send_waiting(std::uint64_t now_ns) noexcept;
  void book_bypassed(std::uint64_t now_ns) noexcept;
  void take_over(Frame& frame, const Passage& passage) noexcept;
  void receive(std::span<rte_mbuf*> packets, std::uint16_t port_id) noexcept;
  void look_closely(std::span<rte_mbuf*> packets, std::uint16_t port_id, bool is_uplink) noexcept;
  void look_up(Frame& frame) noexcept;
  void from_vm_port(Frame& frame) noexcept;
  void from_uplink(Frame& frame) noexcept;
  bool leave_tunnel(Frame& frame, const Tunnel& tunnel) noexcept;
  bool answer(Frame& frame, const Tunnel& tunnel) noexcept;
  void lost(const Frame& frame, wire::DropCause cause) noexcept { forwarder_.drop(frame, {}, cause); }

  std::uint16_t id_;
  config::ClockSource clock_;
  Handover& handover_;
  BypassDesk& desk_;
  Books books_;
  Outbox outbox_;
  FlowTracker tracker_;
  Forwarder forwarder_;
  StraightWay straight_way_;
  TopFlows top_flows_;
  std::vector<UplinkSender> senders_;  // of the uplinks whose queues are ours to empty
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<port::Port> devices_;  // whose queues these are
  std::vector<int> arrival_fds_;     // of the sources that have one
  const Snapshot* snapshot_ = nullptr;
  std::uint64_t now_ns_ = 0;
  std::uint64_t adopted_ = ~std::uint64_t{0};   // serial of the snapshot in use
  std::size_t adopted_slots_ = 0;               // of that snapshot
  std::vector<std::optional<VmId>> occupants_;  // whose flows and meters the slots we own hold
  std::uint64_t taken_over_ = 0;
  std::array<Frame, kBurst> frames_;  // of the burst in hand
};

}  // namespace foreflow::pipeline
