// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/exchange.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace foreflow::telemetry {
namespace {

constexpr std::chrono::seconds kWelcomeTimeout{30};
constexpr std::chrono::seconds kLastingSession{10};

}  // namespace

Exchange::Exchange(Spool spool, wire::Hello hello)
    : spool_(std::move(spool)), boot_id_(hello.boot_id), hello_(std::move(hello)) {
  const std::lock_guard lock(spool_mutex_);
  note_spool();
}

// ---- control

void Exchange::update_hello(wire::Hello hello) {
  const std::lock_guard lock(mutex_);
  hello.dataplane = hello_.dataplane;
  hello.boot_id = boot_id_;
  hello_ = std::move(hello);
}

void Exchange::publish(wire::Report report) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() == kMostQueued) {  // the disk has not kept up for a minute
    queue_.pop_front();
    ++lost_before_spool_;
  }
  queue_.push_back(std::move(report));
  changed_.notify_all();
}

void Exchange::publish(wire::Applied applied) {
  const std::lock_guard lock(mutex_);
  applied_ = std::move(applied);
  applied_pending_ = true;
  changed_.notify_all();
}

void Exchange::publish(wire::Event event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() == kMostEvents) events_.pop_front();
  events_.push_back(std::move(event));
  changed_.notify_all();
}

std::optional<wire::DesiredState> Exchange::take_desired() {
  const std::lock_guard lock(mutex_);
  return std::exchange(desired_, std::nullopt);
}

bool Exchange::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return queue_.empty() && !spooling_ && spool_first_ == spool_end_; });
}

bool Exchange::connected() const {
  const std::lock_guard lock(mutex_);
  return welcomed_ && !ended_;
}

std::string Exchange::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::uint64_t Exchange::dropped_reports() const {
  const std::lock_guard lock(mutex_);
  return lost_before_spool_ + spool_dropped_;
}

std::uint64_t Exchange::unacknowledged() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + (spooling_ ? 1 : 0) + (spool_end_ - spool_first_);
}

void Exchange::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

// ---- link thread

wire::Hello Exchange::begin_session() {
  const std::lock_guard lock(mutex_);
  welcomed_ = false;
  ended_ = false;
  progress_ = false;
  began_ = std::chrono::steady_clock::now();
  cursor_ = spool_first_;
  applied_pending_ = applied_.has_value();
  return hello_;
}

std::optional<wire::FromDataplane> Exchange::next() {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return stopping_ || ended_; };
  if (!changed_.wait_for(lock, kWelcomeTimeout, [&] { return over() || welcomed_; })) return std::nullopt;
  for (;;) {
    changed_.wait(lock, [&] { return over() || applied_pending_ || !events_.empty() || has_report(); });
    if (over()) return std::nullopt;
    if (std::exchange(applied_pending_, false)) return *applied_;
    if (!events_.empty()) {
      auto event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    const auto position = last_ = cursor_++;
    lock.unlock();
    if (auto report = read_spool(position)) return std::move(*report);
    lock.lock();
  }
}

bool Exchange::answered() const {
  const std::lock_guard lock(mutex_);
  return welcomed_ || ended_ || stopping_;
}

bool Exchange::welcomed() const {
  const std::lock_guard lock(mutex_);
  return welcomed_;
}

bool Exchange::end_session(const Status& outcome) {
  const std::lock_guard lock(mutex_);
  const bool lasted = welcomed_ && std::chrono::steady_clock::now() - began_ >= kLastingSession;
  ended_ = true;
  const auto why = outcome ? std::string("the manager ended the session") : outcome.error().message;
  if (!stopping_ && (welcomed_ || why != last_error_))
    log::warning(welcomed_ ? "manager lost" : "no session with the manager, reports are spooled", {{"error", why}});
  last_error_ = why;
  return progress_ || lasted;
}

bool Exchange::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stopping_; });
}

// ---- reader thread

void Exchange::receive(const wire::ToDataplane& message) {
  if (const auto* ack = std::get_if<wire::Ack>(&message)) return acknowledge(*ack);
  if (const auto* hello = std::get_if<wire::Welcome>(&message)) return welcome(*hello);
  const std::lock_guard lock(mutex_);
  desired_ = std::get<wire::DesiredState>(message);
}

void Exchange::welcome(const wire::Welcome& welcome) {
  const std::lock_guard lock(mutex_);
  welcomed_ = true;
  last_error_.clear();
  log::info("manager connected",
            {{"manager_version", welcome.version}, {"unacknowledged_reports", spool_end_ - spool_first_}});
  changed_.notify_all();
}

void Exchange::stream_ended() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  if (last_error_.empty()) last_error_ = "the stream ended";  // until end_session() knows why
  changed_.notify_all();
}

}  // namespace foreflow::telemetry
