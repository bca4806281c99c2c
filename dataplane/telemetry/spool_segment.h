// SPDX-License-Identifier: Apache-2.0
// One file of the spool: records one after the other, each with its own checksum.
// Place: dataplane/telemetry. Thread safety: none.
//
// Record, little endian: magic u32, payload size u32, boot id u64, sequence u64, announced u64, raw size u32, CRC-32
// u32 of the 36 bytes before it and the payload, payload. `announced` is how many lost reports the payload speaks of.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::telemetry {

struct SegmentRange {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
};

class Segment {
 public:
  struct Found {
    std::uint64_t boot_id;
    std::uint64_t sequence;
    std::uint64_t announced;
    SegmentRange range;
  };

  static constexpr std::uint64_t kHeaderSize = 40;
  static constexpr std::uint64_t kLargest = 16u << 20;  // what lies beyond in a file is not ours

  static Result<Segment> open(std::filesystem::path path, std::uint64_t number);
  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  ~Segment();

  static std::uint64_t record_size(const wire::CompressedReport& report) { return kHeaderSize + report.zstd.size(); }

  Result<SegmentRange> append(const wire::CompressedReport& report, std::uint64_t announced);
  Result<wire::CompressedReport> read(SegmentRange range) const;

  // Calls `found` for every whole record, in order; returns the number of gaps between them.
  Result<std::uint64_t> scan(const std::function<void(const Found&)>& found);

  void clear();   // empties the file
  void sync();    // to the device
  void remove();  // deletes the file

  std::uint64_t number() const { return number_; }
  std::uint64_t size() const { return size_; }

 private:
  Segment(int file, std::filesystem::path path, std::uint64_t number, std::uint64_t size)
      : file_(file), path_(std::move(path)), number_(number), size_(size) {}
  Error io_error(std::string_view what) const;

  int file_ = -1;
  std::filesystem::path path_;
  std::uint64_t number_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace foreflow::telemetry
