// SPDX-License-Identifier: Apache-2.0
// The common time of workers that replay captures: no worker's packets run ahead of another's, and none runs past the
// end of a report interval before the report is taken. So the figures of a replay depend on the capture alone.
// Place: dataplane/pipeline; used instead of the TSC when the clock is the capture's. No DPDK.
// Thread safety: now() by anyone, arrive() by workers, the rest by the control thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace foreflow::pipeline {

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

class Timeline {
 public:
  // As fast as possible, time moves in steps of this size, or straight to the next packet when that is later.
  static constexpr std::uint64_t kStepNs = 100'000;

  // `speed`: capture seconds per second; 0 = as fast as possible. `wall_ns`: monotonic time.
  Timeline(std::uint16_t workers, double speed, std::function<std::uint64_t()> wall_ns);

  // Capture time; 0 before start().
  std::uint64_t now() const noexcept;

  // Packets that a worker gave to others so far. The worker adds before it gives, since the other one may take a packet
  // at once, and subtracts what could not be given.
  std::atomic<std::uint64_t>& handed_over(std::uint16_t worker) noexcept { return seats_[worker].handed_over; }

  // What a worker knows after a poll: when its next packet is due (kNever: its captures have ended), and how many
  // packets it took from other workers so far.
  struct Standing {
    std::uint64_t next_due = 0;
    std::uint64_t taken_over = 0;
  };
  void arrive(std::uint16_t worker, const Standing& standing) noexcept;

  // The earliest packet not yet released; 0 while a worker has not looked yet, kNever when all captures have ended.
  std::uint64_t next_due() const noexcept;
  // From here on packets are released up to `limit_ns`; time stops there until the limit is raised.
  void start(std::uint64_t first_ns, std::uint64_t limit_ns) noexcept;
  void raise_limit(std::uint64_t limit_ns) noexcept { limit_.store(limit_ns, std::memory_order_release); }

  // Nothing is due and nothing is on its way between workers.
  bool settled() const noexcept;
  // Time stands at the limit and everything up to there has been dealt with.
  bool at_limit() const noexcept { return now() >= limit_.load(std::memory_order_acquire) && settled(); }
  // The same, with nothing to come.
  bool finished() const noexcept { return next_due() == kNever && settled(); }

 private:
  struct alignas(64) Seat {  // writer: the worker
    std::atomic<std::uint64_t> next_due{0};
    std::atomic<std::uint64_t> handed_over{0};
    std::atomic<std::uint64_t> taken_over{0};
  };
  void advance() noexcept;

  std::vector<Seat> seats_;
  double speed_;
  std::function<std::uint64_t()> wall_ns_;
  std::uint64_t wall_start_ = 0;  // published by start_ns_
  std::atomic<std::uint64_t> start_ns_{0};
  std::atomic<std::uint64_t> limit_{0};
  std::atomic<std::uint64_t> current_{0};  // as fast as possible; writer: worker 0 after start()
};

}  // namespace foreflow::pipeline
