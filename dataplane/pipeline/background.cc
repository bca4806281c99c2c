// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/background.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

namespace foreflow::pipeline {

Background::Background(std::function<void()> start_thread) {
  thread_ = std::thread([this, start_thread = std::move(start_thread)] {
    if (start_thread) start_thread();
    setpriority(PRIO_PROCESS, 0, 10);  // of this thread alone, on Linux
    run();
  });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Background::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Background::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

void move_to_cpus(const std::vector<std::uint32_t>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const auto cpu : cpus) CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

}  // namespace foreflow::pipeline
