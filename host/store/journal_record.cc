// SPDX-License-Identifier: Apache-2.0
#include "host/store/journal_record.h"

namespace foreflow::store {
namespace {

template <typename Integer>
void put(std::string& out, Integer value) {
  for (unsigned i = 0; i < sizeof value; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

template <typename Integer>
std::optional<Integer> take(std::string_view& in) {
  if (in.size() < sizeof(Integer)) return std::nullopt;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < sizeof(Integer); ++i) value |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  in.remove_prefix(sizeof(Integer));
  return static_cast<Integer>(value);
}

}  // namespace

std::string encode_record(const JournalRecord& record) {
  std::string out;
  out.reserve(32 + record.lines.size());
  out.push_back(record.watermark ? 1 : 0);
  if (record.watermark) {
    put(out, record.watermark->boot_id);
    put(out, record.watermark->sequence);
    put(out, static_cast<std::uint16_t>(record.watermark->dataplane.size()));
    out += record.watermark->dataplane;
  }
  out += record.lines;
  return out;
}

Result<JournalRecord> decode_record(std::string_view bytes) {
  const auto malformed = [] { return fail(ErrorCode::kMalformed, "a buffered record has no valid head"); };
  const auto flags = take<std::uint8_t>(bytes);
  if (!flags || *flags > 1) return malformed();
  JournalRecord record;
  if (*flags == 1) {
    const auto boot = take<std::uint64_t>(bytes);
    const auto sequence = take<std::uint64_t>(bytes);
    const auto size = take<std::uint16_t>(bytes);
    if (!boot || !sequence || !size || *size > bytes.size()) return malformed();
    record.watermark = Watermark{std::string(bytes.substr(0, *size)), *boot, *sequence};
    bytes.remove_prefix(*size);
  }
  record.lines = bytes;
  return record;
}

}  // namespace foreflow::store
