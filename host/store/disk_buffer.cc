// SPDX-License-Identifier: Apache-2.0
#include "host/store/disk_buffer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "common/log.h"
#include "host/store/buffer_frame.h"

namespace foreflow::store {
namespace {

constexpr std::string_view kMagic("FFLOWBUF\2\0\0\0", 12);
constexpr std::string_view kSuffix = ".log";

std::optional<std::uint64_t> segment_number(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  if (name.size() != 16 + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = name.data() + 16;
  const auto [stop, error] = std::from_chars(name.data(), end, number, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace

Result<std::unique_ptr<DiskBuffer>> DiskBuffer::open(Config config,
                                                     const std::function<void(std::string_view)>& recovered) {
  std::error_code error;
  std::filesystem::create_directories(config.folder, error);
  if (error)
    return fail(ErrorCode::kIo, fmt::format("{}: making the folder: {}", config.folder.string(), error.message()));
  config.segment_size = std::min(config.segment_size, config.limit / 8);
  std::unique_ptr<DiskBuffer> buffer(new DiskBuffer(std::move(config)));
  auto lock = File::open(buffer->config_.folder / "lock", O_RDWR | O_CREAT);
  if (!lock) return tl::unexpected(lock.error());
  if (const auto locked = lock->lock(); !locked) return tl::unexpected(locked.error());
  buffer->folder_lock_ = std::move(*lock);
  if (const auto found = buffer->recover(recovered); !found) return tl::unexpected(found.error());
  return buffer;
}

Status DiskBuffer::recover(const std::function<void(std::string_view)>& recovered) {
  std::error_code error;
  std::vector<std::uint64_t> numbers;
  for (std::filesystem::directory_iterator entry(config_.folder, error), end; !error && entry != end;
       entry.increment(error))
    if (const auto number = segment_number(entry->path())) numbers.push_back(*number);
  if (error)
    return fail(ErrorCode::kIo, fmt::format("{}: reading the folder: {}", config_.folder.string(), error.message()));
  std::sort(numbers.begin(), numbers.end());
  for (const auto number : numbers)
    if (const auto found = recover_segment(number, recovered); !found) return found;
  if (!numbers.empty()) next_number_ = numbers.back() + 1;
  durable_ = segments_.empty() ? Position{next_number_, 0} : Position{segments_.back().number, segments_.back().size};
  return {};
}

// Old segments are never written to again: appends begin a new one.
Status DiskBuffer::recover_segment(std::uint64_t number, const std::function<void(std::string_view)>& recovered) {
  auto file = File::open(path_of(number), O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  const auto size = file->size();
  if (!size) return tl::unexpected(size.error());
  const auto contents = file->read_at(0, *size);
  if (!contents) return tl::unexpected(contents.error());

  const std::string_view all(*contents);
  std::size_t end = 0;         // of the last good record
  std::size_t unreadable = 0;  // before it
  if (all.starts_with(kMagic)) {
    end = kMagic.size();
    for (auto at = end; at < all.size();) {
      if (const auto record = first_record(all.substr(at))) {
        recovered(*record);
        unreadable += at - end;
        end = at += kFrame + record->size();
      } else {
        at += gap_before_record(all.substr(at));
      }
    }
  }
  unreadable += all.size() - end;
  if (unreadable > 0)
    log::warning("a part of a buffer file does not parse and is skipped",
                 {{"file", path_of(number).string()}, {"bytes", unreadable}});
  unreadable_ += unreadable;
  size_ += all.size();
  segments_.push_back({number, end, std::make_shared<File>(std::move(*file))});
  return {};
}

std::filesystem::path DiskBuffer::path_of(std::uint64_t number) const {
  return config_.folder / fmt::format("{:016x}{}", number, kSuffix);
}

Result<DiskBuffer::Position> DiskBuffer::append(std::string_view record) {
  if (record.size() > UINT32_MAX) return fail(ErrorCode::kMalformed, "a record of over 4 GiB cannot be buffered");
  const auto bytes = framed(record);
  std::unique_lock lock(mutex_);
  if (const auto written = write(bytes); !written) return tl::unexpected(written.error());
  const Position end{segments_.back().number, segments_.back().size};
  if (const auto durable = make_durable(lock); !durable) return tl::unexpected(durable.error());
  return end;
}

Status DiskBuffer::write(std::string_view framed) {
  if (size_ + framed.size() > config_.limit)
    return fail(ErrorCode::kExhausted,
                fmt::format("{}: the buffer is full ({} of {} bytes); the database must take some "
                            "of it first",
                            config_.folder.string(), size_, config_.limit));
  if (!writing_ || segments_.back().size + framed.size() > config_.segment_size)
    if (const auto started = start_segment(); !started) return started;
  auto& segment = segments_.back();
  if (const auto written = segment.file->write_all(framed); !written) {
    // What was written of it would hide later records; if it cannot be cut off, later records go elsewhere.
    writing_ = segment.file->truncate(segment.size).has_value();
    return written;
  }
  segment.size += framed.size();
  size_ += framed.size();
  return {};
}

Status DiskBuffer::start_segment() {
  if (writing_) {
    // Those who wait for the old segment are served here; the round that follows covers the new one alone.
    const auto sealed = segments_.back().file->sync_data();
    if (sealed) durable_ = {segments_.back().number, segments_.back().size};
    writing_ = false;
    end_round(std::exchange(round_, std::make_shared<SyncRound>()), sealed);
    if (!sealed) return sealed;
  }
  auto file = File::open(path_of(next_number_), O_RDWR | O_CREAT | O_EXCL | O_APPEND);
  if (!file) return tl::unexpected(file.error());
  const auto number = next_number_++;
  if (const auto begun = file->write_all(kMagic); !begun) return begun;
  if (const auto named = sync_folder(config_.folder); !named) return named;
  segments_.push_back({number, kMagic.size(), std::make_shared<File>(std::move(*file))});
  size_ += kMagic.size();
  writing_ = true;
  return {};
}

// One of the waiting appends syncs for all that wrote before it began; the others wait for it.
Status DiskBuffer::make_durable(std::unique_lock<std::mutex>& lock) {
  const auto mine = round_;
  while (!mine->done) {
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    round_ = std::make_shared<SyncRound>();
    const auto file = segments_.back().file;
    const Position target{segments_.back().number, segments_.back().size};
    lock.unlock();
    const auto status = file->sync_data();
    lock.lock();
    syncing_ = false;
    if (status)
      durable_ = std::max(durable_, target);
    else if (segments_.back().file == file)
      writing_ = false;  // what the disk has of this file is unknown from now on
    end_round(mine, status);
  }
  return mine->status;
}

void DiskBuffer::end_round(const std::shared_ptr<SyncRound>& round, Status status) {
  round->done = true;
  round->status = std::move(status);
  synced_.notify_all();
}

Result<DiskBuffer::Batch> DiskBuffer::read(Position from, std::size_t most) const {
  std::unique_lock lock(mutex_);
  const auto durable = durable_;
  const auto start_in = [&](const Segment& segment) {
    return segment.number == from.segment ? std::max<std::uint64_t>(from.offset, kMagic.size()) : kMagic.size();
  };
  auto segment = segments_.begin();
  while (segment != segments_.end() &&
         (segment->number < from.segment || (segment->number < durable.segment && start_in(*segment) >= segment->size)))
    ++segment;
  if (segment == segments_.end()) return Batch{{}, from, {}};
  const auto start = start_in(*segment);
  const auto limit = segment->number == durable.segment ? durable.offset : segment->size;
  const Position here{segment->number, start};
  if (segment->number > durable.segment || start >= limit) return Batch{{}, std::max(from, here), {}};
  const auto file = segment->file;
  lock.unlock();

  const auto frame = file->read_at(start, kFrame);
  if (!frame) return tl::unexpected(frame.error());
  const auto first = frame->size() == kFrame ? kFrame + framed_size(*frame) : 0;
  const auto wanted = std::min<std::uint64_t>(limit - start, std::max<std::uint64_t>(most, first));
  const auto data = file->read_at(start, wanted);
  if (!data) return tl::unexpected(data.error());
  Batch batch{{}, here, {}};
  std::string_view rest(*data);
  while (const auto record = first_record(rest)) {
    batch.records.emplace_back(*record);
    rest.remove_prefix(kFrame + record->size());
    batch.end.offset += kFrame + record->size();
  }
  if (!batch.records.empty()) return batch;
  auto all = file->read_at(start, limit - start);
  if (!all) return tl::unexpected(all.error());
  all->resize(limit - start);  // were the file shorter than it was, that would be a gap too
  all->resize(gap_before_record(*all));
  batch.end.offset += all->size();
  batch.gap = std::move(*all);
  return batch;
}

DiskBuffer::Position DiskBuffer::begin() const {
  const std::scoped_lock lock(mutex_);
  return segments_.empty() ? durable_ : Position{segments_.front().number, 0};
}

DiskBuffer::Position DiskBuffer::end() const {
  const std::scoped_lock lock(mutex_);
  return durable_;
}

Status DiskBuffer::release(Position until, const std::function<Status()>& before, bool all) {
  const auto removable = [&] {
    if (segments_.empty()) return false;
    const auto& first = segments_.front();
    const bool in_use = segments_.size() == 1 && writing_ && !all;
    return !in_use && (first.number < until.segment || Position{first.number, first.size} <= until);
  };
  {
    const std::scoped_lock lock(mutex_);
    if (!removable()) return {};
  }
  if (const auto ready = before(); !ready) return ready;
  const std::scoped_lock lock(mutex_);
  while (removable()) {
    const auto& segment = segments_.front();
    std::error_code error;
    const auto path = path_of(segment.number);
    const auto size = std::filesystem::file_size(path, error);
    if (error || !std::filesystem::remove(path, error) || error)
      return fail(ErrorCode::kIo, fmt::format("{}: removing it: {}", path.string(), error.message()));
    size_ -= std::min<std::uint64_t>(size_, size);
    if (segments_.size() == 1) writing_ = false;
    segments_.pop_front();
  }
  return {};
}

std::uint64_t DiskBuffer::size() const {
  const std::scoped_lock lock(mutex_);
  return size_;
}

std::uint64_t DiskBuffer::unreadable() const {
  const std::scoped_lock lock(mutex_);
  return unreadable_;
}

}  // namespace foreflow::store
