// SPDX-License-Identifier: Apache-2.0
// The fields of a point as a short blob: most counters are small or zero, so integers take 1 to 10 bytes and names are
// numbers of a dictionary.
// Place: host/store; the format of SqliteStore's `fields` column.
//
// blob  = field*            in order of id
// field = varint(id * 2 + is_double), then varint(zigzag(integer)) or 8 bytes IEEE 754, little endian
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

using NumberedFields = std::vector<std::pair<std::uint32_t, Value>>;  // in order of id, each once

std::string encode_fields(const NumberedFields& fields);

// kMalformed when the blob is cut or out of order.
Result<NumberedFields> decode_fields(std::string_view blob);

// What `newer` names replaces what `older` had.
NumberedFields merge_fields(const NumberedFields& older, const NumberedFields& newer);

}  // namespace foreflow::store
