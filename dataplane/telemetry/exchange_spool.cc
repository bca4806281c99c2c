// SPDX-License-Identifier: Apache-2.0
// The part of Exchange that touches the disk.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "common/wire/compress.h"
#include "dataplane/telemetry/exchange.h"

namespace foreflow::telemetry {

void Exchange::run_spool() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto report = std::move(queue_.front());
    queue_.pop_front();
    spooling_ = true;
    lock.unlock();
    spool(std::move(report));
    lock.lock();
    spooling_ = false;
    changed_.notify_all();
  }
}

void Exchange::spool(wire::Report report) {
  report.sequence = next_sequence_;
  const auto announced = to_announce();
  report.dataplane.spool_dropped_reports = announced;
  const auto compressed = wire::compress(report, boot_id_);
  const std::lock_guard lock(spool_mutex_);
  const auto dropped_before = spool_.dropped();
  const auto spooled = compressed ? spool_.append(*compressed, announced) : Status(tl::unexpected(compressed.error()));
  if (spooled) {
    ++next_sequence_;  // only now: the manager sees no gap for a report that never was
    announced_ += announced;
    spool_fault_.reset();
  } else {
    if (spool_fault_ != spooled.error().message) log::error("report lost", {{"error", spooled.error().message}});
    spool_fault_ = spooled.error().message;
    const std::lock_guard counters(mutex_);
    ++lost_before_spool_;
  }
  if (spool_.dropped() != dropped_before)  // a segment's worth at once, so this line is rare
    log::warning("spool is full, oldest reports dropped",
                 {{"reports", spool_.dropped() - dropped_before}, {"size", format_bytes(spool_.size())}});
  note_spool();
}

// What was lost and no report on its way speaks of. The sum of what the manager receives is the loss, however often the
// report that spoke of it is lost in its turn.
std::uint64_t Exchange::to_announce() const {
  const std::lock_guard lock(mutex_);
  return lost_before_spool_ + spool_dropped_ + spool_unannounced_ - announced_;
}

void Exchange::note_spool() {
  const std::lock_guard lock(mutex_);
  spool_first_ = spool_.first();
  spool_end_ = spool_.end();
  spool_dropped_ = spool_.dropped();
  spool_unannounced_ = spool_.unannounced();
  cursor_ = std::max(cursor_, spool_first_);
  changed_.notify_all();
}

std::optional<wire::CompressedReport> Exchange::read_spool(Spool::Position position) {
  const std::lock_guard lock(spool_mutex_);
  if (!spool_.holds(position)) return std::nullopt;  // dropped, given up or acknowledged meanwhile
  auto report = spool_.read(position);
  if (report) return std::move(*report);
  log::error("spooled report cannot be read", {{"error", report.error().message}});
  spool_.drop(position);
  note_spool();
  return std::nullopt;
}

void Exchange::acknowledge(const wire::Ack& ack) {
  const std::lock_guard lock(spool_mutex_);
  const auto before = spool_.first();
  spool_.release(ack.boot_id, ack.sequence);
  {
    const std::lock_guard state(mutex_);
    progress_ = progress_ || spool_.first() != before;
  }
  note_spool();
}

void Exchange::give_up_first() {
  const std::lock_guard lock(spool_mutex_);
  if (spool_.count() == 0) return;
  log::error("report given up, the manager can never store it");
  spool_.drop_first();
  note_spool();
}

void Exchange::give_up_last() {
  const std::lock_guard lock(spool_mutex_);
  spool_.drop(last_);
  note_spool();
}

}  // namespace foreflow::telemetry
