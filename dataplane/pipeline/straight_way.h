// SPDX-License-Identifier: Apache-2.0
// The short way of most packets where nothing is followed, treated or shaped: between two VMs of one worker that have
// no limit there, so that both are counted and the packet is sent. The stages of the forwarder come to the same for
// them. Place: dataplane/pipeline. One worker owns it.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/snapshot.h"

namespace foreflow::pipeline {

class StraightWay {
 public:
  StraightWay(std::uint16_t worker, Books& books, Outbox& outbox) : worker_(worker), books_(books), outbox_(outbox) {}

  // Sends those of a burst from a VM port that come before the first one which has to be looked at closer, and returns
  // how many that are. Its three passes ask memory for what the next one needs: the two VMs, then their counters.
  std::size_t send(std::span<rte_mbuf* const> packets, std::uint16_t port_id, const Snapshot& snapshot,
                   std::uint64_t now_ns) noexcept;

 private:
  struct Pair {
    vm::PackedMac source;
    vm::PackedMac destination;
    const vm::Attachment* receiver = nullptr;
    vm::DirectionState* sent = nullptr;
    vm::DirectionState* received = nullptr;
  };

  std::size_t read_usual(std::span<rte_mbuf* const> packets, std::uint16_t port_id, const Snapshot& snapshot) noexcept;
  std::size_t look_up(std::size_t count, std::uint16_t port_id, const Snapshot& snapshot) noexcept;

  std::uint16_t worker_;
  Books& books_;
  Outbox& outbox_;
  std::array<Pair, kBurst> pairs_;  // of the packets in hand
};

}  // namespace foreflow::pipeline
