// SPDX-License-Identifier: Apache-2.0
// Reports <-> what is spooled and sent: serialised, compressed with zstd (level 3), identified by boot id and sequence.
// Place: common/wire; free of protobuf. Thread safety: pure functions.
#pragma once
#include <cstdint>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::wire {

// kInvalidArgument when the report is larger than the other side accepts.
Result<CompressedReport> compress(const Report& report, std::uint64_t boot_id);

// Foreign bytes: never takes more memory than `raw_size`, itself at most kLargestRawReport. kMalformed names what is
// wrong: the frame, its size, or the path of a field.
Result<Report> decompress(const CompressedReport& compressed);

}  // namespace foreflow::wire
