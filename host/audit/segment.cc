// SPDX-License-Identifier: Apache-2.0
#include "host/audit/segment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>

#include "common/files.h"

namespace foreflow::audit {
namespace {

constexpr std::string_view kMagic = "FFAUDIT1";
constexpr std::string_view kEnding = ".audit";
constexpr std::size_t kHashSize = sizeof(Hash);
constexpr std::size_t kHeadSize = kMagic.size() + 8 + 8 + kHashSize;

template <typename T>
std::string little_endian(T value) {
  std::string out;
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::uint64_t number_at(std::string_view bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  return value;
}

Hash hash_at(std::string_view bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), hash.size(), hash.begin());
  return hash;
}

std::string_view as_text(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Result<SegmentHead> head_of(std::string_view bytes, const std::filesystem::path& path) {
  if (bytes.size() < kHeadSize || !bytes.starts_with(kMagic))
    return fail(ErrorCode::kMalformed, fmt::format("{}: is no segment of an audit log", path.string()));
  return SegmentHead{number_at(bytes.substr(8), 8),
                     UnixNanos{static_cast<std::int64_t>(number_at(bytes.substr(16), 8))}, hash_at(bytes.substr(24))};
}

}  // namespace

std::string segment_header(std::uint64_t number, UnixNanos begin, const Hash& before) {
  return std::string(kMagic) + little_endian(number) + little_endian(static_cast<std::uint64_t>(begin.value)) +
         std::string(as_text(before));
}

std::string block(std::string_view payload, const Hash& hash) {
  return little_endian(static_cast<std::uint32_t>(payload.size())) + std::string(payload) + std::string(as_text(hash));
}

std::filesystem::path segment_path(const std::filesystem::path& folder, std::uint64_t number) {
  return folder / fmt::format("{:010}{}", number, kEnding);
}

Result<std::vector<std::uint64_t>> segments(const std::filesystem::path& folder) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    std::uint64_t number = 0;
    const auto stop = name.data() + name.size() - kEnding.size();
    if (const auto [end, bad] = std::from_chars(name.data(), stop, number); bad == std::errc() && end == stop)
      numbers.push_back(number);
  }
  if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<SegmentHead> read_head(const std::filesystem::path& path) {
  const auto file = File::open(path, O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  const auto bytes = file->read_at(0, kHeadSize);
  if (!bytes) return tl::unexpected(bytes.error());
  return head_of(*bytes, path);
}

Result<Segment> read_segment(const std::filesystem::path& path) {
  const auto bytes = read_file(path, kLargestSegment);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto head = head_of(*bytes, path);
  if (!head) return tl::unexpected(head.error());
  Segment segment{.head = *head, .last = head->before, .size = kHeadSize};
  const auto broken = [&](std::string_view why) {
    segment.broken = fmt::format("{}: byte {}: {}", path.string(), segment.size, why);
  };
  std::string_view rest = std::string_view(*bytes).substr(kHeadSize);
  while (!rest.empty()) {
    const std::size_t size = rest.size() < 4 ? kLargestBlock + 1 : number_at(rest, 4);
    if (size > kLargestBlock || rest.size() < 4 + size + kHashSize) {
      broken("a block is cut short");
      break;
    }
    const auto payload = rest.substr(4, size);
    const Hash hash = hash_at(rest.substr(4 + size));
    if (hash != chained(segment.last, payload)) {
      broken("a block was changed: its hash does not follow from the one before");
      break;
    }
    segment.payloads.emplace_back(payload);
    segment.last = hash;
    segment.size += 4 + size + kHashSize;
    rest.remove_prefix(4 + size + kHashSize);
  }
  return segment;
}

}  // namespace foreflow::audit
