// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/mapped_records.h"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/units.h"
#include "dataplane/net/octets.h"

namespace foreflow::offline {
namespace {

using net::load_native32;

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;
constexpr std::size_t kFileHeader = 24, kRecordHeader = 16;
constexpr std::size_t kWindow = std::size_t{8} << 20;  // whole pages; more than any record
constexpr std::uint32_t kLargestPacket = 262'144;      // as libpcap has it; more is a damaged record

std::span<const std::uint8_t> map(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  struct stat status {};
  void* start = MAP_FAILED;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= off_t{kFileHeader})
    start = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (start == MAP_FAILED) return {};
  return {static_cast<const std::uint8_t*>(start), static_cast<std::size_t>(status.st_size)};
}

}  // namespace

std::optional<MappedRecords> MappedRecords::open(const std::filesystem::path& file) {
  const auto bytes = map(file);
  if (bytes.empty()) return std::nullopt;
  MappedRecords records(bytes);
  const auto magic = load_native32(bytes.data());
  if (magic != kMicroseconds && magic != kNanoseconds) return std::nullopt;
  records.ns_per_unit_ = magic == kNanoseconds ? 1 : 1'000;
  const auto stated = load_native32(bytes.data() + 16);
  records.most_kept_ = stated == 0 || stated > kLargestPacket ? kLargestPacket : stated;
  return records;
}

MappedRecords::MappedRecords(std::span<const std::uint8_t> file) noexcept : file_(file), at_(kFileHeader) {}

MappedRecords::MappedRecords(MappedRecords&& other) noexcept
    : file_(std::exchange(other.file_, {})),
      at_(other.at_),
      left_behind_(other.left_behind_),
      most_kept_(other.most_kept_),
      ns_per_unit_(other.ns_per_unit_),
      damage_(std::move(other.damage_)) {}

MappedRecords::~MappedRecords() {
  if (!file_.empty()) munmap(const_cast<std::uint8_t*>(file_.data()), file_.size());
}

// So that a capture of many gigabytes does not push everything else out of memory.
void MappedRecords::leave_behind() noexcept {
  auto* start = const_cast<std::uint8_t*>(file_.data()) + left_behind_;
  madvise(start, kWindow, MADV_DONTNEED);
  left_behind_ += kWindow;
}

bool MappedRecords::next(Record& record) {
  if (at_ - left_behind_ > kWindow) leave_behind();
  const auto left = file_.size() - at_;
  if (left == 0) return false;
  if (left < kRecordHeader) {
    damage_ = fmt::format("a record's header is cut off: {} of {} bytes", left, kRecordHeader);
    return false;
  }
  const auto* header = file_.data() + at_;
  const auto kept = load_native32(header + 8);
  if (kept > kLargestPacket || kept > left - kRecordHeader) {
    damage_ = fmt::format("a record states {} bytes where {} are left and {} are the most", kept, left - kRecordHeader,
                          kLargestPacket);
    return false;
  }
  record.bytes = file_.subspan(at_ + kRecordHeader, std::min(kept, most_kept_));
  record.wire_size = load_native32(header + 12);
  record.time_ns =
      std::uint64_t{load_native32(header)} * kNanosPerSecond + std::uint64_t{load_native32(header + 4)} * ns_per_unit_;
  at_ += kRecordHeader + kept;
  return true;
}

}  // namespace foreflow::offline
