// SPDX-License-Identifier: Apache-2.0
// The process's signals as something that is asked, not something that interrupts.
// Place: dataplane/pipeline; made first of all in main, so that every later thread inherits the mask.
#pragma once
#include <utility>

#include "common/result.h"

namespace foreflow::pipeline {

enum class Request { kNone, kStop, kReload };  // SIGTERM or SIGINT, SIGHUP

class Signals {
 public:
  static Result<Signals> block();
  Signals(Signals&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Signals& operator=(Signals&&) = delete;
  ~Signals();

  // Never waits.
  Request take();

 private:
  explicit Signals(int file) : file_(file) {}
  int file_;
};

}  // namespace foreflow::pipeline
