// SPDX-License-Identifier: Apache-2.0
// When something that did not work is tried again: after a second, and then after twice as long each time.
// Place: dataplane/pipeline. Thread safety: none; control only. Injected time.
#pragma once
#include <algorithm>
#include <cstdint>

#include "common/units.h"

namespace foreflow::pipeline {

class Retry {
 public:
  static constexpr std::uint64_t kFirst = kNanosPerSecond;
  static constexpr std::uint64_t kLongest = 64 * kNanosPerSecond;

  // It works, or something else is to be tried from now on.
  void rest() noexcept {
    wait_ns_ = kFirst;
    waits_ = false;
  }

  // To be called again and again while it does not work. True: now is the time.
  bool due(std::uint64_t now_ns) noexcept {
    if (!waits_) due_ns_ = now_ns + wait_ns_;
    waits_ = now_ns < due_ns_;
    if (!waits_) wait_ns_ = std::min(2 * wait_ns_, kLongest);
    return !waits_;
  }

 private:
  std::uint64_t wait_ns_ = kFirst;
  std::uint64_t due_ns_ = 0;  // while waits_
  bool waits_ = false;
};

}  // namespace foreflow::pipeline
