// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace foreflow::backtest {
namespace {

class Progress {
 public:
  Progress(std::size_t count, std::string_view label) : count_(count), label_(label), shown_(isatty(2) == 1) {}

  void one_more() {
    if (!shown_) return;
    const std::lock_guard lock(mutex_);
    ++done_;
    fmt::print(stderr, "\r{}: {} of {}{}", label_, done_, count_, done_ == count_ ? "\n" : "");
  }

 private:
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t count_;
  std::string_view label_;
  bool shown_;
};

}  // namespace

void for_each_parallel(std::size_t count, std::size_t threads, std::string_view label,
                       const std::function<void(std::size_t)>& work) {
  if (threads == 0) threads = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  std::atomic<std::size_t> next{0};
  Progress progress(count, label);
  auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      work(i);
      progress.one_more();
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
  run();
}

}  // namespace foreflow::backtest
