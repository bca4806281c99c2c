// SPDX-License-Identifier: Apache-2.0
#include "host/store/influx_sender.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"
#include "host/store/journal_record.h"

namespace foreflow::store {

InfluxSender::InfluxSender(Config config, DiskBuffer& buffer, Watermarks& watermarks)
    : config_(std::move(config)),
      buffer_(buffer),
      watermarks_(watermarks),
      http_(config_.http, stop_),
      lines_(config_.database, config_.create_database,
             [this](auto path, auto body, auto type, bool gzipped) { return http_.post(path, body, type, gzipped); }),
      sent_(buffer.begin()),
      thread_([this] { run(); }) {}

InfluxSender::~InfluxSender() { stop(); }

void InfluxSender::wake() {
  const std::scoped_lock lock(mutex_);
  work_.notify_one();
}

void InfluxSender::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    work_.notify_one();
    progress_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Status InfluxSender::flush(DiskBuffer::Position until, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  if (sent_ >= until) return {};
  hurry_ = true;
  work_.notify_one();
  const auto failures = failures_;
  progress_.wait_for(lock, wait, [&] { return sent_ >= until || failures_ != failures || stop_; });
  if (sent_ >= until) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}: the database has not taken all points yet: {}", config_.http.url,
                          failures_ != failures ? last_error_ : "it is still busy with them"));
}

void InfluxSender::run() {
  while (!stop_) {
    if (take_batch()) continue;
    std::unique_lock lock(mutex_);
    const auto more = [&] { return stop_ || hurry_ || buffer_.end() > sent_; };
    if (pause_.count() > 0)
      work_.wait_for(lock, pause_, [&] { return stop_ || hurry_; });
    else
      work_.wait(lock, more);
    hurry_ = false;
  }
}

bool InfluxSender::take_batch() {
  const auto batch = buffer_.read(sent(), LineDelivery::kMostBytes);
  if (!batch) {
    note_failure(Outcome::kHeld, batch.error().message);
    return false;
  }
  if (!batch->gap.empty()) {
    note_gap(*batch);
    return true;
  }
  if (batch->records.empty()) {
    skip_to(batch->end);
    return false;
  }
  std::vector<std::string_view> lines;
  for (const auto& bytes : batch->records) {
    const auto record = decode_record(bytes);
    if (!record) continue;  // its checksum is right, so another version wrote it; open() has said so
    // append() raises it too, but maybe only after the record's file is gone.
    if (record->watermark) watermarks_.raise(*record->watermark);
    const auto more = split_lines(record->lines);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  const auto delivery = lines_.deliver(lines);
  if (stop_ && delivery.outcome != Outcome::kDone) return false;
  if (delivery.outcome != Outcome::kDone) {
    note_failure(delivery.outcome, delivery.reasons.front());
    return false;
  }
  note_success(batch->end, lines.size(), delivery);
  const auto released = buffer_.release(batch->end, [this] { return watermarks_.save(config_.watermark_file); });
  if (!released) log::warning("delivered points could not leave the buffer", {{"error", released.error().message}});
  return true;
}

// Over the end of a file that holds nothing more.
void InfluxSender::skip_to(DiskBuffer::Position end) {
  const std::scoped_lock lock(mutex_);
  sent_ = std::max(sent_, end);
  progress_.notify_all();
}

// The points in it are lost for good, about as many as there are line ends.
void InfluxSender::note_gap(const DiskBuffer::Batch& batch) {
  const auto points = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, std::ranges::count(batch.gap, '\n')));
  const auto error =
      fmt::format("the buffer has rotted on disk: {} bytes of file {:016x}.log, about {} points, are lost",
                  batch.gap.size(), batch.end.segment, points);
  log::error("points lost", {{"error", error}});
  const std::scoped_lock lock(mutex_);
  sent_ = batch.end;
  rejected_ += points;
  last_error_ = error;
  progress_.notify_all();
}

void InfluxSender::note_success(DiskBuffer::Position end, std::uint64_t points, const Delivery& delivery) {
  for (const auto& reason : delivery.reasons)
    log::warning("the database refused points for good", {{"points", delivery.rejected}, {"reason", reason}});
  const std::scoped_lock lock(mutex_);
  if (pause_.count() > 0) log::info("the database takes points again", {{"url", config_.http.url}});
  sent_ = end;
  delivered_ += points;
  rejected_ += delivery.rejected;
  if (!delivery.reasons.empty())
    last_error_ = delivery.reasons.front();  // stays until something else happens
  else if (pause_.count() > 0)
    last_error_.clear();
  pause_ = std::chrono::milliseconds(0);
  progress_.notify_all();
}

void InfluxSender::note_failure(Outcome outcome, const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  ++failures_;
  // Told once per kind of failure, not with each attempt.
  if (reason != last_error_)
    log::warning(outcome == Outcome::kHeld ? "points wait in the buffer until an operator acts"
                                           : "points wait in the buffer, trying again",
                 {{"url", config_.http.url}, {"reason", reason}});
  last_error_ = reason;
  pause_ = outcome == Outcome::kHeld ? config_.longest_retry
                                     : std::clamp(pause_ * 2, config_.first_retry, config_.longest_retry);
  progress_.notify_all();
}

DiskBuffer::Position InfluxSender::sent() const {
  const std::scoped_lock lock(mutex_);
  return sent_;
}

std::uint64_t InfluxSender::delivered() const {
  const std::scoped_lock lock(mutex_);
  return delivered_;
}

std::uint64_t InfluxSender::rejected() const {
  const std::scoped_lock lock(mutex_);
  return rejected_;
}

std::string InfluxSender::last_error() const {
  const std::scoped_lock lock(mutex_);
  return last_error_;
}

}  // namespace foreflow::store
