// SPDX-License-Identifier: Apache-2.0
#include "host/app/state_lock.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace foreflow::app {

Result<StateLock> StateLock::take(const std::filesystem::path& state_dir) {
  const auto path = state_dir / "lock";
  const auto reason = [] { return std::generic_category().message(errno); };
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), reason()));
  StateLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return fail(ErrorCode::kUnavailable,
                fmt::format("state_dir {}: another foreflowd is running on it, expected one of its own for each",
                            state_dir.string()));
  return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), reason()));
}

StateLock::StateLock(StateLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

StateLock::~StateLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace foreflow::app
