// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/spool.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace foreflow::telemetry {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::uint64_t kSegments = 8;  // of a full ring: at most this part of it is lost at once
constexpr std::uint64_t kLargestSegment = 8u << 20;

std::optional<std::uint64_t> segment_number(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data() + kPrefix.size(), end, number, 16);
  if (error != std::errc{} || last != end) return std::nullopt;
  return number;
}

}  // namespace

// Owns the lock on the directory.
class Spool::Directory {
 public:
  static Result<std::unique_ptr<Directory>> open(std::filesystem::path path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
      return fail(ErrorCode::kIo,
                  fmt::format("spool directory {}: {}", path.string(), error ? error.message() : std::strerror(errno)));
    auto directory = std::unique_ptr<Directory>(new Directory(std::move(path), file));
    if (::flock(file, LOCK_EX | LOCK_NB) != 0)
      return fail(ErrorCode::kAlreadyExists,
                  fmt::format("spool directory {}: in use by another dataplane, expected one of its own",
                              directory->path_.string()));
    return directory;
  }
  ~Directory() { ::close(file_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::filesystem::path segment(std::uint64_t number) const {
    return path_ / fmt::format("{}{:016x}", kPrefix, number);
  }

  Result<std::vector<std::uint64_t>> segment_numbers() const {
    std::vector<std::uint64_t> numbers;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path_, error))
      if (const auto number = segment_number(entry.path().filename().string())) numbers.push_back(*number);
    if (error) return fail(ErrorCode::kIo, fmt::format("spool directory {}: {}", path_.string(), error.message()));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

 private:
  Directory(std::filesystem::path path, int file) : path_(std::move(path)), file_(file) {}
  std::filesystem::path path_;
  int file_;
};

Spool::Spool(std::unique_ptr<Directory> directory, Bytes capacity)
    : directory_(std::move(directory)), capacity_(capacity) {}
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;
Spool::~Spool() {
  if (!segments_.empty()) segments_.back().sync();
}

Result<Spool> Spool::open(std::filesystem::path directory, Bytes capacity) {
  if (capacity < kSmallest)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("spool size {}, expected at least {}", format_bytes(capacity), format_bytes(kSmallest)));
  auto opened = Directory::open(std::move(directory));
  if (!opened) return tl::unexpected(opened.error());
  Spool spool(std::move(*opened), capacity);
  if (auto loaded = spool.load(); !loaded) return tl::unexpected(loaded.error());
  return spool;
}

Status Spool::load() {
  const auto numbers = directory_->segment_numbers();
  if (!numbers) return tl::unexpected(numbers.error());
  for (const auto number : *numbers) {
    auto segment = Segment::open(directory_->segment(number), number);
    if (!segment) return tl::unexpected(segment.error());
    const auto before = entries_.size();
    const auto gaps = segment->scan([&](const Segment::Found& found) {
      entries_.push_back(Entry{found.boot_id, found.sequence, found.announced, number, found.range});
    });
    if (!gaps) return tl::unexpected(gaps.error());
    damaged_ += *gaps;
    if (entries_.size() == before) {
      segment->remove();
      continue;
    }
    size_.value += segment->size();
    segments_.push_back(std::move(*segment));
  }
  // The old segments may end in a torn record: appends go to a fresh one. A smaller ring than last time drops here.
  if (auto rolled = roll(); !rolled) return rolled;
  make_room(0);
  return {};
}

Status Spool::roll() {
  if (!segments_.empty()) segments_.back().sync();
  const auto number = segments_.empty() ? 1 : segments_.back().number() + 1;
  auto segment = Segment::open(directory_->segment(number), number);
  if (!segment) return tl::unexpected(segment.error());
  segments_.push_back(std::move(*segment));
  return {};
}

Status Spool::append(const wire::CompressedReport& report, std::uint64_t announced) {
  const auto bytes = Segment::record_size(report);
  const auto segment_size = std::min(capacity_.value / kSegments, kLargestSegment);
  if (bytes > capacity_.value / 2)
    return fail(ErrorCode::kExhausted, fmt::format("report {} of {} bytes does not fit a spool of {}", report.sequence,
                                                   bytes, format_bytes(capacity_)));
  if (segments_.back().size() != 0 && segments_.back().size() + bytes > segment_size)
    if (auto rolled = roll(); !rolled) return rolled;
  make_room(bytes);
  const auto range = segments_.back().append(report, announced);
  if (!range) return tl::unexpected(range.error());
  size_.value += range->size;
  entries_.push_back(Entry{report.boot_id, report.sequence, announced, segments_.back().number(), *range});
  return {};
}

bool Spool::holds(Position position) const {
  return position >= first_ && position < end() && !entries_[position - first_].given_up;
}

Result<wire::CompressedReport> Spool::read(Position position) const {
  assert(position >= first_ && position < end());
  const auto& entry = entries_[position - first_];
  const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Segment& candidate) { return candidate.number() == entry.segment; });
  assert(segment != segments_.end());
  return segment->read(entry.range);
}

void Spool::release(std::uint64_t boot_id, std::uint64_t sequence) {
  const auto acknowledged = [&](const Entry& entry) {
    return entry.given_up || (entry.boot_id == boot_id && entry.sequence <= sequence);
  };
  while (!entries_.empty() && acknowledged(entries_.front())) pop_front();
  remove_released();
}

void Spool::drop(Position position) {
  if (!holds(position)) return;
  count_dropped(entries_[position - first_]);
  remove_released();
}

void Spool::make_room(std::uint64_t bytes) {
  while (segments_.size() > 1 && (size_.value + bytes > capacity_.value || entries_.size() >= kMostRecords))
    drop_oldest_segment();
}

void Spool::drop_oldest_segment() {
  const auto number = segments_.front().number();
  while (!entries_.empty() && entries_.front().segment == number) {
    count_dropped(entries_.front());
    pop_front();
  }
  remove_released();
}

void Spool::count_dropped(Entry& entry) {
  if (std::exchange(entry.given_up, true)) return;
  ++dropped_;
  unannounced_ += entry.announced;
}

void Spool::pop_front() {
  entries_.pop_front();
  ++first_;
}

void Spool::remove_released() {
  while (!entries_.empty() && entries_.front().given_up) pop_front();
  const auto still_needed = entries_.empty() ? segments_.back().number() : entries_.front().segment;
  while (segments_.front().number() < still_needed) {
    size_.value -= segments_.front().size();
    segments_.front().remove();
    segments_.pop_front();
  }
  if (entries_.empty()) {  // the usual case once a second: nothing is left to be found again after a restart
    segments_.back().clear();
    size_ = Bytes{segments_.back().size()};
  }
}

}  // namespace foreflow::telemetry
