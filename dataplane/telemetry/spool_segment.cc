// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/spool_segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32.h"
#include "common/wire/limits.h"

namespace foreflow::telemetry {
namespace {

constexpr std::string_view kMagic = "FFr2";
constexpr std::size_t kAnnouncedOffset = 24;
constexpr std::size_t kCrcOffset = 36;

template <typename Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) out += static_cast<char>(value >> (8 * i));
}

template <typename Integer>
Integer get(std::string_view bytes, std::size_t offset) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i)
    value |= static_cast<Integer>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  return value;
}

std::string encode(const wire::CompressedReport& report, std::uint64_t announced) {
  std::string record;
  record.reserve(Segment::record_size(report));
  record += kMagic;
  put(record, static_cast<std::uint32_t>(report.zstd.size()));
  put(record, report.boot_id);
  put(record, report.sequence);
  put(record, announced);
  put(record, report.raw_size);
  put(record, crc32(report.zstd, crc32(record)));
  record += report.zstd;
  return record;
}

// The record at the front of `bytes`, when a whole one is there.
std::optional<wire::CompressedReport> decode(std::string_view bytes) {
  if (bytes.size() < Segment::kHeaderSize || !bytes.starts_with(kMagic)) return std::nullopt;
  const auto payload_size = get<std::uint32_t>(bytes, 4);
  if (payload_size > wire::kLargestMessage || payload_size > bytes.size() - Segment::kHeaderSize) return std::nullopt;
  const auto payload = bytes.substr(Segment::kHeaderSize, payload_size);
  if (crc32(payload, crc32(bytes.substr(0, kCrcOffset))) != get<std::uint32_t>(bytes, kCrcOffset)) return std::nullopt;
  return wire::CompressedReport{.boot_id = get<std::uint64_t>(bytes, 8),
                                .sequence = get<std::uint64_t>(bytes, 16),
                                .raw_size = get<std::uint32_t>(bytes, 32),
                                .zstd = std::string(payload)};
}

bool write_all(int file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool read_all(int file, std::string& bytes, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = ::pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;  // shorter than it was; the checksum will tell
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return true;
}

}  // namespace

Result<Segment> Segment::open(std::filesystem::path path, std::uint64_t number) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  Segment segment(file, std::move(path), number, 0);
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::kIo, fmt::format("{}: expected a regular file", segment.path_.string()));
  segment.size_ = static_cast<std::uint64_t>(status.st_size);
  return segment;
}

Segment::Segment(Segment&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      path_(std::move(other.path_)),
      number_(other.number_),
      size_(other.size_) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  std::swap(number_, other.number_);
  std::swap(size_, other.size_);
  return *this;
}

Segment::~Segment() {
  if (file_ >= 0) ::close(file_);
}

Error Segment::io_error(std::string_view what) const {
  const auto code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::kExhausted : ErrorCode::kIo;
  return Error{code, fmt::format("{}: {}: {}", path_.string(), what, std::strerror(errno))};
}

Result<SegmentRange> Segment::append(const wire::CompressedReport& report, std::uint64_t announced) {
  const auto record = encode(report, announced);
  if (!write_all(file_, record, size_)) {
    auto error = io_error("write");
    // Otherwise the next scan counts the torn record as a gap, which does no harm either.
    if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) error.message += ", and could not be undone";
    return tl::unexpected(std::move(error));
  }
  const SegmentRange range{size_, static_cast<std::uint32_t>(record.size())};
  size_ += record.size();
  return range;
}

Result<wire::CompressedReport> Segment::read(SegmentRange range) const {
  std::string bytes(range.size, '\0');
  if (!read_all(file_, bytes, range.offset)) return tl::unexpected(io_error("read"));
  if (auto report = decode(bytes)) return std::move(*report);
  return fail(ErrorCode::kMalformed,
              fmt::format("{}: record at {} does not match its checksum", path_.string(), range.offset));
}

Result<std::uint64_t> Segment::scan(const std::function<void(const Found&)>& found) {
  std::string bytes(std::min(size_, kLargest), '\0');
  if (!read_all(file_, bytes, 0)) return tl::unexpected(io_error("read"));
  const std::string_view all(bytes);
  std::uint64_t gaps = 0;
  for (std::size_t at = 0; at < all.size();) {
    if (const auto report = decode(all.substr(at))) {
      const SegmentRange range{at, static_cast<std::uint32_t>(record_size(*report))};
      found({report->boot_id, report->sequence, get<std::uint64_t>(all, at + kAnnouncedOffset), range});
      at += range.size;
      continue;
    }
    ++gaps;
    // Within a gap only a record that is whole ends it: magic bytes alone may be anyone's payload.
    do at = all.find(kMagic, at + 1);
    while (at != all.npos && !decode(all.substr(at)));
    if (at == all.npos) break;
  }
  return gaps;
}

void Segment::clear() {
  if (::ftruncate(file_, 0) == 0) size_ = 0;
}

void Segment::sync() { ::fdatasync(file_); }

void Segment::remove() { ::unlink(path_.c_str()); }

}  // namespace foreflow::telemetry
