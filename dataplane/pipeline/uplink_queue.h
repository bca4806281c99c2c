// SPDX-License-Identifier: Apache-2.0
// What waits for an uplink: its scheduler, which all workers fill and one worker empties.
// Place: dataplane/pipeline. Thread safety: configure() and ask_to_empty() by the control thread, push() by any worker,
// a burst at a time; the rest by the uplink's worker. A worker that is refused room drops the packet itself, so that
// the counters of a VM keep their one writer.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "common/wire/messages.h"
#include "dataplane/pipeline/books.h"
#include "dataplane/police/class_scheduler.h"

namespace foreflow::pipeline {

struct Departing {
  rte_mbuf* packet = nullptr;
  std::uint16_t port_id = 0;
  Account account;
};

class UplinkQueue {
 public:
  using Scheduler = police::ClassScheduler<Departing>;
  using Entry = Scheduler::Entry;

  explicit UplinkQueue(std::uint16_t worker) : worker_(worker) {}
  std::uint16_t worker() const noexcept { return worker_; }  // who empties it

  // Allocates the first time. What waits stays, and leaves at the new rate.
  void configure(const wire::Queueing& queueing, BytesPerSecond rate);
  // An uplink has left the configuration: what waits shall leave at once or be dropped.
  void ask_to_empty() noexcept { wanted_.fetch_add(1, std::memory_order_release); }
  bool is_emptied() const noexcept {
    return emptied_.load(std::memory_order_acquire) == wanted_.load(std::memory_order_acquire);
  }

  // How many found no room: they are the first of `entries` then. `from`: the worker that pushes.
  std::size_t push(std::span<Entry> entries, std::uint16_t from) noexcept;

  // Something waits here or in the hand of its worker. Any thread.
  bool waits() const noexcept {
    return waiting_.load(std::memory_order_acquire) != 0 || in_hand_.load(std::memory_order_acquire) != 0;
  }
  // Any thread; null: never configured. Counters and the longest wait only.
  Scheduler* scheduler() const noexcept { return known_.load(std::memory_order_acquire); }

 private:
  friend class UplinkSender;
  std::size_t pop(std::span<Entry> out, std::uint64_t now_ns) noexcept;
  // Returns how many had come from other workers since the last time.
  template <typename Take>
  std::uint64_t clear(Take&& take) noexcept;

  const std::uint16_t worker_;
  rte_spinlock_t lock_ = RTE_SPINLOCK_INITIALIZER;
  std::unique_ptr<Scheduler> scheduler_;
  std::uint64_t from_others_ = 0;  // pushed by other workers since the last pop(); under the lock
  std::atomic<Scheduler*> known_{nullptr};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> in_hand_{0};  // popped, but the port is full; writer: its worker
  std::atomic<std::uint32_t> wanted_{0};
  std::atomic<std::uint32_t> emptied_{0};
};

class Outbox;
struct Snapshot;

// The uplink's worker, sending.
class UplinkSender {
 public:
  UplinkSender(UplinkQueue& queue, Outbox& outbox, Books& books) : queue_(queue), outbox_(outbox), books_(books) {}

  // Sends what is due. What a full port does not take stays in hand, and what follows waits. Returns how many left.
  std::size_t serve(const Snapshot& snapshot, std::uint64_t now_ns) noexcept;
  bool holds() const noexcept { return queue_.waits(); }
  // When something is due that the port could take.
  std::uint64_t next_due() const noexcept;
  // Packets that came from other workers, so far.
  std::uint64_t taken_over() const noexcept { return taken_over_; }
  // Frees what waits and counts it as dropped. Once no worker runs.
  void discard() noexcept;

 private:
  void empty(const Snapshot& snapshot) noexcept;
  bool send_hand() noexcept;

  UplinkQueue& queue_;
  Outbox& outbox_;
  Books& books_;
  std::uint64_t taken_over_ = 0;
  std::array<UplinkQueue::Entry, 32> hand_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
};

}  // namespace foreflow::pipeline
