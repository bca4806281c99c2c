// SPDX-License-Identifier: Apache-2.0
#include "host/app/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace foreflow::app {

Result<StateLock> StateLock::take(const std::filesystem::path& state_dir) {
  auto file = File::open(state_dir / "lock", O_RDWR | O_CREAT);
  if (!file) return tl::unexpected(file.error());
  const auto locked = file->lock();
  if (locked) return StateLock(std::move(*file));
  if (locked.error().code != ErrorCode::kUnavailable) return tl::unexpected(locked.error());
  return fail(ErrorCode::kUnavailable,
              fmt::format("state_dir {}: another foreflowd is running on it, expected one of its own for each",
                          state_dir.string()));
}

}  // namespace foreflow::app
