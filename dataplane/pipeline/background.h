// SPDX-License-Identifier: Apache-2.0
// The builder thread: what takes long (compiling signatures, waiting for the disk) runs here, one task after the other,
// at low priority and away from the workers' CPUs.
// Place: dataplane/pipeline. Thread safety: post() from any thread.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace foreflow::pipeline {

class Background {
 public:
  // `start_thread` runs first in the new thread.
  explicit Background(std::function<void()> start_thread);
  ~Background();  // finishes what was posted
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void post(std::function<void()> task);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool closing_ = false;
  std::thread thread_;
};

// Moves the calling thread to these CPUs. Threads made after EAL's start would otherwise share the main lcore's.
void move_to_cpus(const std::vector<std::uint32_t>& cpus);

}  // namespace foreflow::pipeline
