// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/uplink_queue.h"

#include <tuple>
#include <utility>

#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/timeline.h"

namespace foreflow::pipeline {
namespace {

class Locked {
 public:
  explicit Locked(rte_spinlock_t& lock) noexcept : lock_(lock) { rte_spinlock_lock(&lock_); }
  ~Locked() { rte_spinlock_unlock(&lock_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  rte_spinlock_t& lock_;
};

}  // namespace

void UplinkQueue::configure(const wire::Queueing& queueing, BytesPerSecond rate) {
  auto fresh = scheduler_ == nullptr ? std::make_unique<Scheduler>(vm::kMostVms) : nullptr;
  const Locked locked(lock_);
  if (fresh != nullptr) scheduler_ = std::move(fresh);
  scheduler_->configure(queueing, rate);
  known_.store(scheduler_.get(), std::memory_order_release);
}

std::size_t UplinkQueue::push(std::span<Entry> entries, std::uint16_t from) noexcept {
  std::size_t refused = 0;
  const Locked locked(lock_);
  for (const auto& entry : entries)
    if (!scheduler_->push(entry)) entries[refused++] = entry;
  if (from != worker_) from_others_ += entries.size() - refused;
  waiting_.store(scheduler_->waiting(), std::memory_order_release);
  return refused;
}

std::size_t UplinkQueue::pop(std::span<Entry> out, std::uint64_t now_ns) noexcept {
  const auto count = scheduler_->pop(out, now_ns);
  in_hand_.store(count, std::memory_order_release);  // first: it never looks as if nothing waited
  waiting_.store(scheduler_->waiting(), std::memory_order_release);
  return count;
}

template <typename Take>
std::uint64_t UplinkQueue::clear(Take&& take) noexcept {
  const Locked locked(lock_);
  if (scheduler_ != nullptr) scheduler_->clear(take);
  waiting_.store(0, std::memory_order_release);
  return std::exchange(from_others_, 0);
}

std::size_t UplinkSender::serve(const Snapshot& snapshot, std::uint64_t now_ns) noexcept {
  if (!queue_.is_emptied()) empty(snapshot);
  if (!queue_.waits()) return 0;
  std::size_t handled = 0;
  while (send_hand()) {
    {
      const Locked locked(queue_.lock_);
      taken_over_ += std::exchange(queue_.from_others_, 0);
      end_ = queue_.pop(hand_, now_ns);
    }
    first_ = 0;
    handled += end_;
    if (end_ == 0) break;
  }
  return handled;
}

// False: the port is full.
bool UplinkSender::send_hand() noexcept {
  static_assert(std::tuple_size_v<decltype(hand_)> == kBurst);
  while (first_ < end_) {
    std::array<rte_mbuf*, kBurst> packets;
    const auto port_id = hand_[first_].packet.port_id;
    std::size_t count = 0;
    while (first_ + count < end_ && hand_[first_ + count].packet.port_id == port_id) {
      packets[count] = hand_[first_ + count].packet.packet;
      ++count;
    }
    const auto sent = outbox_.transmit(port_id, std::span(packets.data(), count));
    first_ += sent;
    if (sent < count) return false;
  }
  return true;
}

std::uint64_t UplinkSender::next_due() const noexcept {
  if (first_ < end_ || queue_.waiting_.load(std::memory_order_acquire) == 0) return kNever;
  return queue_.scheduler_->next_ns();
}

// What cannot leave was counted by its VM's owner as passed, who may be another worker.
void UplinkSender::empty(const Snapshot& snapshot) noexcept {
  const auto wanted = queue_.wanted_.load(std::memory_order_acquire);
  const auto take = [&](const UplinkQueue::Entry& entry) {
    auto* packet = entry.packet.packet;
    if (snapshot.has_port(entry.packet.port_id) && outbox_.transmit(entry.packet.port_id, {&packet, 1}) == 1) return;
    books_.leave_behind(entry.packet.account);
    rte_pktmbuf_free(packet);
  };
  for (; first_ < end_; ++first_) take(hand_[first_]);
  taken_over_ += queue_.clear(take);
  queue_.in_hand_.store(0, std::memory_order_release);
  queue_.emptied_.store(wanted, std::memory_order_release);
}

void UplinkSender::discard() noexcept {
  const auto take = [&](const UplinkQueue::Entry& entry) {
    books_.dropped(entry.packet.account, wire::DropCause::kQueueFull);
    rte_pktmbuf_free(entry.packet.packet);
  };
  for (; first_ < end_; ++first_) take(hand_[first_]);
  queue_.clear(take);
  queue_.in_hand_.store(0, std::memory_order_release);
}

}  // namespace foreflow::pipeline
