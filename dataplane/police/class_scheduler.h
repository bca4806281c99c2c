// SPDX-License-Identifier: Apache-2.0
// Which of the packets that wait for an uplink leaves next: strict queues in order of their numbers, then the others by
// weight (deficit round robin; Shreedhar and Varghese, SIGCOMM 1995), no faster than the uplink sends.
// Place: dataplane/police. Arithmetic on injected time: no port, no clock. One worker owns it; no allocation after
// construction.
//
// Room in a queue is shared, too. What is guaranteed finds room until the queue is full; of the lower half each party
// (a VM) gets its part by weight, among those that have something in the queue. A queue that is served in order of
// arrival gives each the rate that its part of the room is (Guérin and others, "Scalable QoS provision through buffer
// management", SIGCOMM 1998), so nobody's flood takes the class from the others.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/counter.h"
#include "common/units.h"
#include "common/wire/queueing.h"

namespace foreflow::police {

// Since the start. Writer: the owner; readers: the control thread.
struct QueueCounters {
  Counter passed_packets;
  Counter passed_bytes;
  Counter dropped_packets;
  Counter dropped_bytes;
  Counter waited_ns;   // of all that passed
  Counter waiting;     // packets, now
  Counter longest_ns;  // that one waited
};

template <typename Packet>
class ClassScheduler {
 public:
  static constexpr std::size_t kMostPackets = 2'048;       // per queue; a power of two
  static constexpr std::uint64_t kDepthNs = 1'000'000;     // what a pause of its worker may save up
  static constexpr std::uint32_t kQuantum = 1'600;         // bytes per round and unit of weight
  static constexpr std::uint32_t kLeastBytes = 2 * 9'018;  // that a party finds room for, while the half is not full

  struct Entry {
    Packet packet{};
    std::uint64_t since_ns = 0;
    std::uint32_t size = 0;
    std::uint32_t weight = 1;  // of the party
    std::uint16_t party = 0;
    std::uint8_t queue = wire::kLastQueue;
    bool guaranteed = false;
  };

  explicit ClassScheduler(std::size_t parties)
      : occupancy_(parties * wire::kQueues), counters_(std::make_unique<QueueCounters[]>(wire::kQueues)) {
    for (auto& queue : queues_) queue.ring = std::make_unique<Entry[]>(kMostPackets);
  }

  // `rate` is not kUnlimited and not 0. What waits stays where it is.
  void configure(const wire::Queueing& queueing, BytesPerSecond rate) noexcept {
    specs_ = queueing.queues;
    price_ = ((kNanosPerSecond * kTicks) << kPriceBits) / std::max<std::uint64_t>(rate.value, 1);
    const auto room = static_cast<unsigned __int128>(rate.value) * queueing.longest_us / 1'000'000;
    limit_ = static_cast<std::uint64_t>(std::clamp<unsigned __int128>(room, 2 * kLeastBytes, ~0u));
  }

  // False: there is no room, and the packet is the caller's still.
  bool push(const Entry& entry) noexcept {
    auto& queue = queues_[entry.queue];
    auto& counters = counters_[entry.queue];
    auto& held = occupancy_[entry.party * wire::kQueues + entry.queue];
    if (!has_room(queue, entry, held)) {
      counters.dropped_packets.add(1);
      counters.dropped_bytes.add(entry.size);
      return false;
    }
    if (held == 0) queue.weights += entry.weight;
    held += entry.size;
    queue.bytes += entry.size;
    queue.ring[(queue.first + queue.count++) % kMostPackets] = entry;
    counters.waiting.set(queue.count);
    ++waiting_;
    return true;
  }

  // Up to so many packets as the uplink may begin to send by now. Returns how many.
  std::size_t pop(std::span<Entry> out, std::uint64_t now_ns) noexcept {
    const auto now = now_ns * kTicks;
    if (finish_ + kDepthNs * kTicks < now) finish_ = now - kDepthNs * kTicks;
    std::size_t count = 0;
    while (count < out.size() && waiting_ != 0 && finish_ <= now) {
      out[count] = take(next(), now_ns);
      finish_ += static_cast<std::uint64_t>(static_cast<unsigned __int128>(out[count].size) * price_ >> kPriceBits);
      ++count;
    }
    return count;
  }

  // Everything, whatever the rate: it will not be sent.
  template <typename Discard>
  void clear(Discard&& discard) noexcept {
    while (waiting_ != 0) discard(take(next(), 0));
  }

  std::size_t waiting() const noexcept { return waiting_; }
  // When pop() has something, if anything waits.
  std::uint64_t next_ns() const noexcept { return (finish_ + kTicks - 1) / kTicks; }
  const QueueCounters& counters(std::size_t queue) const noexcept { return counters_[queue]; }
  // The next longest wait is that from now on. Any thread: it may miss one that ends at the same moment.
  std::uint64_t take_longest_ns(std::size_t queue) noexcept {
    const auto longest = counters_[queue].longest_ns.read();
    counters_[queue].longest_ns.set(0);
    return longest;
  }

 private:
  static constexpr std::uint64_t kTicks = 1'024;  // in a nanosecond, as in meter::Residual
  static constexpr unsigned kPriceBits = 20;

  struct Queue {
    std::unique_ptr<Entry[]> ring;
    std::size_t first = 0;
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t weights = 0;  // of the parties that have something here
    std::uint64_t deficit = 0;
  };

  bool has_room(const Queue& queue, const Entry& entry, std::uint32_t held) const noexcept {
    if (queue.count == kMostPackets || queue.bytes + entry.size > limit_) return false;
    if (entry.guaranteed) return true;
    if (queue.count >= kMostPackets / 2 || queue.bytes + entry.size > limit_ / 2) return false;
    const auto weights = queue.weights + (held == 0 ? entry.weight : 0);
    return held + entry.size <= std::max<std::uint64_t>(limit_ / 2 * entry.weight / weights, kLeastBytes);
  }

  // The queue that is served next; something waits.
  std::size_t next() noexcept {
    for (std::size_t at = 0; at < queues_.size(); ++at)
      if (specs_[at].strict && queues_[at].count != 0) return at;
    while (true) {
      auto& queue = queues_[turn_];
      if (queue.count != 0 && !specs_[turn_].strict) {
        if (!visited_) queue.deficit += std::uint64_t{specs_[turn_].weight} * kQuantum;
        visited_ = true;
        if (const auto size = queue.ring[queue.first].size; size <= queue.deficit) {
          queue.deficit -= size;
          return turn_;
        }
      } else {
        queue.deficit = 0;
      }
      turn_ = (turn_ + 1) % queues_.size();
      visited_ = false;
    }
  }

  Entry take(std::size_t at, std::uint64_t now_ns) noexcept {
    auto& queue = queues_[at];
    const auto entry = queue.ring[queue.first];
    queue.first = (queue.first + 1) % kMostPackets;
    --queue.count;
    --waiting_;
    queue.bytes -= entry.size;
    auto& held = occupancy_[entry.party * wire::kQueues + at];
    held -= entry.size;
    if (held == 0) queue.weights -= std::min<std::uint64_t>(entry.weight, queue.weights);
    if (queue.count == 0) queue.weights = 0;  // a party's weight may have changed meanwhile
    auto& counters = counters_[at];
    counters.waiting.set(queue.count);
    if (now_ns == 0) return entry;
    counters.passed_packets.add(1);
    counters.passed_bytes.add(entry.size);
    const auto waited_ns = std::max(now_ns, entry.since_ns) - entry.since_ns;  // it may come while this round runs
    counters.waited_ns.add(waited_ns);
    counters.longest_ns.raise(waited_ns);
    return entry;
  }

  std::array<wire::QueueSpec, wire::kQueues> specs_{};
  std::array<Queue, wire::kQueues> queues_;
  std::vector<std::uint32_t> occupancy_;  // bytes, by party and queue
  std::unique_ptr<QueueCounters[]> counters_;
  std::size_t waiting_ = 0;
  std::size_t turn_ = 0;
  bool visited_ = false;  // this queue has its quantum of the round
  std::uint64_t price_ = 0;
  std::uint64_t limit_ = 2 * kLeastBytes;
  std::uint64_t finish_ = 0;  // when the uplink has sent what was taken, in ticks
};

}  // namespace foreflow::police
