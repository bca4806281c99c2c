// SPDX-License-Identifier: Apache-2.0
// One append() of InfluxStore as a record of its disk buffer: the watermark and the points' lines.
// Place: host/store. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

struct JournalRecord {
  std::optional<Watermark> watermark;
  std::string_view lines;  // each ended by '\n'; into the record's bytes
};

// u8 flags (1: a watermark follows: u64 boot, u64 sequence, u16 size, dataplane), then the lines. Little endian.
std::string encode_record(const JournalRecord& record);
Result<JournalRecord> decode_record(std::string_view bytes);

}  // namespace foreflow::store
