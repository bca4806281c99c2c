// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/doorbell.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/units.h"

namespace foreflow::pipeline {

Result<std::unique_ptr<Doorbell>> Doorbell::create() {
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return fail(ErrorCode::kExhausted, fmt::format("no eventfd for a worker: {}", std::strerror(errno)));
  return std::unique_ptr<Doorbell>(new Doorbell(event));
}

Doorbell::~Doorbell() { close(event_); }

bool Doorbell::wait(std::span<const int> fds, std::chrono::nanoseconds most) {
  watched_.assign(1, {event_, POLLIN, 0});
  for (const int fd : fds) watched_.push_back({fd, POLLIN, 0});
  const auto ns = static_cast<std::uint64_t>(most.count());
  const timespec timeout{static_cast<time_t>(ns / kNanosPerSecond), static_cast<long>(ns % kNanosPerSecond)};
  const bool woken = ppoll(watched_.data(), watched_.size(), &timeout, nullptr) > 0;
  eventfd_t rings = 0;
  if (watched_.front().revents != 0) eventfd_read(event_, &rings);
  return woken;
}

void Doorbell::wake() noexcept { eventfd_write(event_, 1); }

}  // namespace foreflow::pipeline
