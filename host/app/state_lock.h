// SPDX-License-Identifier: Apache-2.0
// Keeps a second manager off a state directory for as long as it lives.
// Place: host/app; the manager takes it before it reads or writes what is kept there.
#pragma once
#include <filesystem>

#include "common/files.h"
#include "common/result.h"

namespace foreflow::app {

class StateLock {
 public:
  // kUnavailable when another process has it. The kernel lets go when the process ends, however it ends.
  static Result<StateLock> take(const std::filesystem::path& state_dir);

 private:
  explicit StateLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace foreflow::app
