// SPDX-License-Identifier: Apache-2.0
// What leaves a worker: bursts to ports and bursts to other workers, collected while it polls.
// Place: dataplane/pipeline. One worker owns it. Every packet given to it is sent or dropped with a counted cause.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "common/wire/intents.h"
#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/handover.h"
#include "dataplane/pipeline/uplink_queue.h"
#include "dataplane/port/port.h"

namespace foreflow::pipeline {

inline constexpr std::size_t kBurst = 32;

inline constexpr std::size_t kQueueGroups = 1 + wire::kMostQueueGroups;  // the common queues first

// One per port, for workers that share a transmit queue; idle where each has its own.
struct alignas(64) SharedQueue {
  rte_spinlock_t lock = RTE_SPINLOCK_INITIALIZER;
};

struct OutboxWiring {
  std::uint16_t worker = 0;
  std::span<SharedQueue> shared;  // by ethdev id
  Handover& handover;
  std::atomic<std::uint64_t>* handed_over = nullptr;          // Timeline::handed_over(); null: the clock is the wall's
  std::span<const std::unique_ptr<UplinkQueue>> queues = {};  // by uplink
};

class Outbox {
 public:
  Outbox(const OutboxWiring& wiring, Books& books);

  // Ports come and go between two polls; nothing may be sent to one that is not attached.
  void attach(const port::Port& port);
  void detach(std::uint16_t port_id) noexcept;

  // Counts the packet as passed for `account`, until the port does not take it. `group`: of isolated queues; where the
  // port has none such, the common ones.
  void send(std::uint16_t port_id, rte_mbuf* packet, const Account& account, std::uint8_t group = 0) noexcept {
    books_.passed(account);
    auto& box = group == 0 ? ports_[0][port_id] : box_of(port_id, group);
    box.packets[box.count] = packet;
    box.accounts[box.count] = account;
    box.bytes += rte_pktmbuf_pkt_len(packet);
    used_[box.group] |= 1u << port_id;
    if (++box.count == kBurst) flush(box);
  }
  void hand_over(std::uint16_t owner, rte_mbuf* packet, const Passage& passage) noexcept;
  // As send(), only that the packet waits for its turn at the uplink, if there is room.
  void wait(std::uint8_t uplink, const UplinkQueue::Entry& entry) noexcept {
    books_.passed(entry.packet.account);
    auto& box = waiting_[uplink];
    box.entries[box.count] = entry;
    if (++box.count == kBurst) flush(uplink, box);
  }
  // At once, of what has waited: how many the port takes. The others stay the caller's.
  std::size_t transmit(std::uint16_t port_id, std::span<rte_mbuf*> packets) noexcept;
  // Once per poll, at its end.
  void flush() noexcept;

 private:
  struct PortBox {
    std::uint16_t port_id = 0;
    std::uint16_t queue = 0;
    std::uint8_t group = 0;
    wire::DropCause refused = wire::DropCause::kPortFull;
    rte_spinlock_t* lock = nullptr;  // null: the queue is ours alone
    std::uint16_t count = 0;
    std::uint64_t bytes = 0;  // of the packets in the box
    std::array<rte_mbuf*, kBurst> packets;
    std::array<Account, kBurst> accounts;
  };
  struct QueueBox {
    std::uint16_t count = 0;
    std::array<UplinkQueue::Entry, kBurst> entries;
  };
  struct WorkerBox {
    std::uint16_t count = 0;
    std::array<rte_mbuf*, kBurst> packets;
  };

  PortBox& box_of(std::uint16_t port_id, std::uint8_t group) noexcept {
    const bool has = ports_[group].size() > port_id && ports_[group][port_id].group == group;
    return ports_[has ? group : 0][port_id];
  }
  void flush(PortBox& box) noexcept;
  void flush(std::uint16_t owner, WorkerBox& box) noexcept;
  void flush(std::uint8_t uplink, QueueBox& box) noexcept;

  std::uint16_t worker_;
  Handover& handover_;
  Books& books_;
  std::array<std::vector<PortBox>, kQueueGroups> ports_;  // by group of queues and ethdev id
  std::array<std::uint32_t, kQueueGroups>
      used_{};  // ports that something was sent to since the last flush(), one bit each
  std::vector<WorkerBox> workers_;
  std::span<const std::unique_ptr<UplinkQueue>> queues_;
  std::vector<QueueBox> waiting_;  // by uplink
  std::atomic<std::uint64_t>* handed_over_;
  std::span<SharedQueue> shared_;
};

}  // namespace foreflow::pipeline
