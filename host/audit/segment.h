// SPDX-License-Identifier: Apache-2.0
// One file of the log: an hour of blocks that begins with a snapshot. docs/formats.md has the layout.
// Place: host/audit, for the log and its readers.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "host/audit/chain.h"

namespace foreflow::audit {

inline constexpr std::size_t kLargestBlock = 64u << 20;
inline constexpr std::size_t kLargestSegment = 1u << 30;

// "FFAUDIT1", the segment's number, the time of its first block, the hash before it.
std::string segment_header(std::uint64_t number, UnixNanos begin, const Hash& before);
// Length, payload, hash.
std::string block(std::string_view payload, const Hash& hash);
// "0000000007.audit"
std::filesystem::path segment_path(const std::filesystem::path& folder, std::uint64_t number);
// Numbers of the segments in a folder, ascending.
Result<std::vector<std::uint64_t>> segments(const std::filesystem::path& folder);

struct SegmentHead {
  std::uint64_t number = 0;
  UnixNanos begin;
  Hash before{};
};

struct Segment {
  SegmentHead head;
  std::vector<std::string> payloads;
  Hash last{};             // of its last whole block, or `head.before`
  std::uint64_t size = 0;  // bytes of header and whole blocks
  std::string broken;      // why reading ended before the end of the file; empty: it did not
};

Result<SegmentHead> read_head(const std::filesystem::path& path);
// Checks each block's hash. kMalformed: no segment; a block that does not follow from the one before ends it
// (`broken`).
Result<Segment> read_segment(const std::filesystem::path& path);

}  // namespace foreflow::audit
