// SPDX-License-Identifier: Apache-2.0
// Reads the log: is the chain whole, does every round give the same bits again, what was decided when.
// Place: host/audit; may run beside the writer: a block that is being written is not there yet.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/result.h"
#include "host/audit/chain.h"
#include "host/audit/codec.h"

namespace foreflow::audit {

struct Range {
  UnixNanos from;                                          // inclusive
  UnixNanos to{std::numeric_limits<std::int64_t>::max()};  // inclusive
};

struct Report {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t decisions = 0;  // VMs x directions x records that were solved again
  std::uint64_t differing = 0;  // rounds whose outcomes were others
  std::uint64_t bytes = 0;
  std::optional<UnixNanos> first, last;
  Hash anchor{};      // where the chain begins
  Hash head{};        // where it ends; whoever keeps it elsewhere can tell a log that was rewritten
  std::string fault;  // the first thing that is wrong; empty: nothing is
};

// The whole chain, without solving anything.
Result<Report> verify(const std::filesystem::path& folder);

// Solves every round of the range again and compares.
Result<Report> replay(const std::filesystem::path& folder, const Range& range);

// The newest record at or before `time`; to it come the newest rounds of hosts' CPU and memory where it has none of
// them, as hosts are read at other times than cycles run. Each device and subject once. kNotFound: the log does not
// reach back so far.
Result<Decoder::Decoded> record_at(const std::filesystem::path& folder, UnixNanos time);

}  // namespace foreflow::audit
