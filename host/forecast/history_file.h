// SPDX-License-Identifier: Apache-2.0
// The history of all VMs as one file. Little-endian:
//   "FFDEMAND" u32 version, u64 interval_ns, u32 series;
//   per series u32 vm, u8 direction, i64 newest, u32 slots, per slot f32 rate (NaN = gap) u8 limited;
//   u32 CRC-32 of all before.
// Place: host/forecast, behind ForecastService::save() and load().
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "host/forecast/demand_history.h"

namespace foreflow::forecast {

struct SeriesRecord {
  VmId vm;
  Direction direction = Direction::kEgress;
  StoredHistory history;
};

std::string encode_history(const std::vector<SeriesRecord>& records, std::uint64_t interval_ns);

// Takes any bytes. kMalformed or kUnsupported as in ForecastService::load(); `source` is named in the message.
Result<std::vector<SeriesRecord>> decode_history(std::string_view bytes, std::uint64_t interval_ns,
                                                 const std::string& source);

}  // namespace foreflow::forecast
