// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/timeline.h"

#include <algorithm>

namespace foreflow::pipeline {

Timeline::Timeline(std::uint16_t workers, double speed, std::function<std::uint64_t()> wall_ns)
    : seats_(workers), speed_(speed), wall_ns_(std::move(wall_ns)) {}

std::uint64_t Timeline::now() const noexcept {
  const auto start = start_ns_.load(std::memory_order_acquire);
  if (start == 0) return 0;
  if (speed_ == 0) return current_.load(std::memory_order_acquire);
  const auto elapsed = static_cast<double>(wall_ns_() - wall_start_) * speed_;
  return std::min(start + static_cast<std::uint64_t>(elapsed), limit_.load(std::memory_order_acquire));
}

void Timeline::arrive(std::uint16_t worker, const Standing& standing) noexcept {
  auto& seat = seats_[worker];
  seat.taken_over.store(standing.taken_over, std::memory_order_release);
  seat.next_due.store(standing.next_due, std::memory_order_release);
  if (worker == 0 && speed_ == 0) advance();
}

// Counts are read in this order: taken before given. A packet counts as given before it can be taken, so equal sums
// mean that none was on its way when the last "taken" was read (Mattern 1987, the principle of the four-counter
// method).
bool Timeline::settled() const noexcept {
  const auto now = this->now();
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  for (const auto& seat : seats_)
    if (seat.next_due.load(std::memory_order_acquire) <= now) return false;
  for (const auto& seat : seats_) taken += seat.taken_over.load(std::memory_order_acquire);
  for (const auto& seat : seats_) given += seat.handed_over.load(std::memory_order_acquire);
  return taken == given;
}

std::uint64_t Timeline::next_due() const noexcept {
  auto earliest = kNever;
  for (const auto& seat : seats_) earliest = std::min(earliest, seat.next_due.load(std::memory_order_acquire));
  return earliest;
}

void Timeline::start(std::uint64_t first_ns, std::uint64_t limit_ns) noexcept {
  wall_start_ = wall_ns_();
  limit_.store(limit_ns, std::memory_order_relaxed);
  current_.store(first_ns, std::memory_order_relaxed);
  start_ns_.store(first_ns, std::memory_order_release);
}

void Timeline::advance() noexcept {
  const auto now = current_.load(std::memory_order_relaxed);
  const auto limit = limit_.load(std::memory_order_acquire);
  if (start_ns_.load(std::memory_order_acquire) == 0 || now >= limit || !settled()) return;
  const auto next = next_due();
  if (next == kNever) return;
  current_.store(std::min(limit, std::max(now + kStepNs, next)), std::memory_order_release);
}

}  // namespace foreflow::pipeline
