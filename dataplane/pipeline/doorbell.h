// SPDX-License-Identifier: Apache-2.0
// Where a worker without work sleeps, until a packet comes to one of its queues or another worker hands one over.
// Place: dataplane/pipeline. Threads: sleep() by its worker, ring() by any.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include <poll.h>

#include "common/result.h"

namespace foreflow::pipeline {

class Doorbell {
 public:
  // kExhausted: the process has too many files open.
  static Result<std::unique_ptr<Doorbell>> create();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Until one of `fds` is readable, somebody rings, or `most` has passed; not at all if `has_work` says so, which is
  // asked when no ring can be missed any more. Whether there was a reason to wake.
  template <typename HasWork>
  bool sleep(std::span<const int> fds, std::chrono::nanoseconds most, HasWork&& has_work) {
    asleep_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const bool woken = has_work() || wait(fds, most);
    asleep_.store(false, std::memory_order_relaxed);
    return woken;
  }
  // After what is to be found. A fence and a load, unless it sleeps.
  void ring() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed)) [[unlikely]]
      wake();
  }

 private:
  explicit Doorbell(int event) : event_(event) {}
  bool wait(std::span<const int> fds, std::chrono::nanoseconds most);
  void wake() noexcept;

  int event_;
  std::atomic<bool> asleep_{false};
  std::vector<pollfd> watched_;
};

}  // namespace foreflow::pipeline
