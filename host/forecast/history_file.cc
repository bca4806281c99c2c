// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/history_file.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "common/crc32.h"

namespace foreflow::forecast {
namespace {

constexpr std::string_view kMagic = "FFDEMAND";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSlotSize = 5;
constexpr std::size_t kSeriesHeaderSize = 4 + 1 + 8 + 4;

template <typename Integer>
void put(std::string& out, Integer value) {
  for (std::size_t byte = 0; byte < sizeof(Integer); ++byte)
    out.push_back(static_cast<char>(value >> (8 * byte) & 0xff));
}

// Reads from the front; the caller checks left() first.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size(); }

  template <typename Integer>
  Integer take() {
    Integer value = 0;
    for (std::size_t byte = 0; byte < sizeof(Integer); ++byte)
      value =
          static_cast<Integer>(value | static_cast<Integer>(static_cast<unsigned char>(bytes_[byte])) << (8 * byte));
    bytes_.remove_prefix(sizeof(Integer));
    return value;
  }

 private:
  std::string_view bytes_;
};

tl::unexpected<Error> damaged(const std::string& source, std::string_view what) {
  return fail(ErrorCode::kMalformed, fmt::format("{}: {}; it is not a whole history file", source, what));
}

// A slot of a damaged file must not become a rate that no link has.
Slot take_slot(Cursor& cursor) {
  const auto rate = std::bit_cast<float>(cursor.take<std::uint32_t>());
  const bool limited = cursor.take<std::uint8_t>() != 0;
  const bool usable = std::isfinite(rate) && rate >= 0;
  return usable ? Slot{rate, limited} : Slot{std::numeric_limits<float>::quiet_NaN(), false};
}

Result<SeriesRecord> take_series(Cursor& cursor, std::uint64_t interval_ns, const std::string& source) {
  if (cursor.left() < kSeriesHeaderSize) return damaged(source, "it ends within a series");
  SeriesRecord record;
  record.vm = {cursor.take<std::uint32_t>()};
  const auto direction = cursor.take<std::uint8_t>();
  if (direction >= kDirections) return damaged(source, fmt::format("direction {} does not exist", direction));
  record.direction = static_cast<Direction>(direction);
  const auto newest = cursor.take<std::uint64_t>();
  if (newest > static_cast<std::uint64_t>(kLatest.value) / interval_ns)
    return damaged(source, "a time is out of range");
  record.history.newest = static_cast<IntervalIndex>(newest);
  const auto slots = cursor.take<std::uint32_t>();
  if (slots > newest + 1) return damaged(source, "a series begins before 1970");
  if (cursor.left() / kSlotSize < slots) return damaged(source, "it ends within a series");
  record.history.slots.reserve(slots);
  for (std::uint32_t i = 0; i < slots; ++i) record.history.slots.push_back(take_slot(cursor));
  return record;
}

Result<Cursor> open_content(std::string_view bytes, std::uint64_t interval_ns, const std::string& source) {
  if (!bytes.starts_with(kMagic)) return damaged(source, "it does not begin with FFDEMAND");
  bytes.remove_prefix(kMagic.size());
  if (bytes.size() < 4 + 8 + 4) return damaged(source, "it ends within its header");
  Cursor cursor(bytes);
  if (const auto version = cursor.take<std::uint32_t>(); version != kVersion)
    return fail(ErrorCode::kUnsupported,
                fmt::format("{}: version {}; this program reads version {}", source, version, kVersion));
  if (const auto interval = cursor.take<std::uint64_t>(); interval != interval_ns)
    return fail(ErrorCode::kUnsupported, fmt::format("{}: its intervals are {} s, the configured ones {} s", source,
                                                     static_cast<double>(interval) / kNanosPerSecond,
                                                     static_cast<double>(interval_ns) / kNanosPerSecond));
  return cursor;
}

}  // namespace

std::string encode_history(const std::vector<SeriesRecord>& records, std::uint64_t interval_ns) {
  std::string out(kMagic);
  put(out, kVersion);
  put(out, interval_ns);
  put(out, static_cast<std::uint32_t>(records.size()));
  for (const SeriesRecord& record : records) {
    put(out, record.vm.value);
    put(out, static_cast<std::uint8_t>(record.direction));
    put(out, static_cast<std::uint64_t>(record.history.newest));
    put(out, static_cast<std::uint32_t>(record.history.slots.size()));
    for (const Slot& slot : record.history.slots) {
      put(out, std::bit_cast<std::uint32_t>(slot.rate));
      put(out, static_cast<std::uint8_t>(slot.limited ? 1 : 0));
    }
  }
  put(out, crc32(out));
  return out;
}

Result<std::vector<SeriesRecord>> decode_history(std::string_view bytes, std::uint64_t interval_ns,
                                                 const std::string& source) {
  constexpr std::size_t kChecksumSize = 4;
  if (bytes.size() < kChecksumSize) return damaged(source, "it is too short");
  const std::string_view content = bytes.substr(0, bytes.size() - kChecksumSize);
  if (Cursor(bytes.substr(content.size())).take<std::uint32_t>() != crc32(content))
    return damaged(source, "its checksum is wrong");
  Result<Cursor> cursor = open_content(content, interval_ns, source);
  if (!cursor) return tl::unexpected(std::move(cursor.error()));
  std::vector<SeriesRecord> records;
  for (auto series = cursor->take<std::uint32_t>(); series > 0; --series) {
    Result<SeriesRecord> record = take_series(*cursor, interval_ns, source);
    if (!record) return tl::unexpected(std::move(record.error()));
    records.push_back(std::move(*record));
  }
  if (cursor->left() != 0) return damaged(source, "something follows its last series");
  return records;
}

}  // namespace foreflow::forecast
