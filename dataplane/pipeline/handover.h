// SPDX-License-Identifier: Apache-2.0
// How a packet reaches the worker that owns its VM: one single-producer single-consumer ring per pair of workers, and a
// doorbell for each, should it sleep.
// Place: dataplane/pipeline. What a packet is handed over for travels in the packet itself (a dynamic mbuf field).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/pipeline/doorbell.h"
#include "dataplane/pipeline/tunnels.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::pipeline {

inline constexpr std::uint8_t kNoUplink = 0xff;

// The stage that the owner runs. The id is compared with the owner's snapshot: the slot may have changed hands.
struct Passage {
  VmId vm;
  vm::Slot slot = vm::kNoSlot;
  std::uint16_t port_id = 0;  // egress: where it was received; ingress: where the VM is
  Direction direction = Direction::kEgress;
  std::uint8_t uplink = kNoUplink;  // ingress: the uplink that it came from
  RemoteEnd remote = kNoRemote;     // and the end of its tunnel, in this segment
  Segment segment;
};

class Handover {
 public:
  static constexpr unsigned kRingSize = 1024;

  static Result<Handover> create(std::uint16_t workers);

  Passage& passage(rte_mbuf* packet) const noexcept { return *RTE_MBUF_DYNFIELD(packet, field_, Passage*); }

  // How many were taken; the rest did not fit.
  std::size_t give(std::uint16_t from, std::uint16_t to, std::span<rte_mbuf*> packets) noexcept {
    const auto given = rte_ring_sp_enqueue_burst(ring(from, to), reinterpret_cast<void**>(packets.data()),
                                                 static_cast<unsigned>(packets.size()), nullptr);
    doorbells_[to]->ring();
    return given;
  }
  std::size_t take(std::uint16_t from, std::uint16_t to, std::span<rte_mbuf*> packets) noexcept {
    return rte_ring_sc_dequeue_burst(ring(from, to), reinterpret_cast<void**>(packets.data()),
                                     static_cast<unsigned>(packets.size()), nullptr);
  }
  bool empty() const noexcept;
  bool empty(std::uint16_t to) const noexcept;
  Doorbell& doorbell(std::uint16_t worker) const noexcept { return *doorbells_[worker]; }

  // How far each ring was filled; taken(filled()) says later that all of that has been taken since. By any thread.
  std::vector<std::uint32_t> filled() const;
  bool taken(std::span<const std::uint32_t> filled) const noexcept;
  std::uint16_t workers() const noexcept { return workers_; }

 private:
  struct FreeRing {
    void operator()(rte_ring* ring) const noexcept { rte_ring_free(ring); }
  };
  Handover() = default;
  rte_ring* ring(std::uint16_t from, std::uint16_t to) const noexcept { return rings_[from * workers_ + to].get(); }

  std::vector<std::unique_ptr<rte_ring, FreeRing>> rings_;
  std::vector<std::unique_ptr<Doorbell>> doorbells_;  // by worker
  std::uint16_t workers_ = 0;
  int field_ = 0;
};

}  // namespace foreflow::pipeline
