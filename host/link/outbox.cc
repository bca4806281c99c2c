// SPDX-License-Identifier: Apache-2.0
#include "host/link/outbox.h"

#include <utility>

namespace foreflow::link {

void Outbox::put(wire::Welcome welcome) {
  const std::lock_guard lock(mutex_);
  welcome_ = std::move(welcome);
  welcomed_ = true;
  changed_.notify_one();
}

void Outbox::put(wire::Ack ack) {
  const std::lock_guard lock(mutex_);
  if (!acks_.empty() && acks_.back().boot_id == ack.boot_id)
    acks_.back() = ack;
  else
    acks_.push_back(ack);
  changed_.notify_one();
}

void Outbox::put(wire::DesiredState desired) {
  const std::lock_guard lock(mutex_);
  desired_ = std::move(desired);
  changed_.notify_one();
}

void Outbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

std::optional<wire::ToDataplane> Outbox::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || (welcomed_ && (welcome_ || desired_ || !acks_.empty())); });
  if (!welcomed_) return std::nullopt;
  return next();
}

std::optional<wire::ToDataplane> Outbox::next() {
  if (welcome_) return std::exchange(welcome_, std::nullopt);
  if (!acks_.empty()) {
    const auto ack = acks_.front();
    acks_.erase(acks_.begin());
    return ack;
  }
  if (desired_) return std::exchange(desired_, std::nullopt);
  return std::nullopt;
}

}  // namespace foreflow::link
