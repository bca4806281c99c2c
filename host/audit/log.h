// SPDX-License-Identifier: Apache-2.0
// The append-only log of all rounds: hash-chained blocks in hourly segments, each of which begins with a snapshot.
// Place: host/audit; written by the manager's cycle. Readers (reader.h) open the files beside it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/result.h"
#include "host/audit/chain.h"
#include "host/audit/codec.h"

namespace foreflow::audit {

struct LogConfig {
  std::uint64_t segment_ns = 3'600 * kNanosPerSecond;          // a snapshot this often
  std::uint64_t retention_ns = 30 * 86'400 * kNanosPerSecond;  // what is older goes
  std::uint64_t most_bytes = 2ull << 30;                       // of all segments; the oldest go first
};

// What remains of deleted segments: the chain of those that are kept goes on from here.
struct Anchor {
  std::uint64_t number = 0;  // of the last deleted segment; 0 = none was
  Hash hash{};               // of its last block
};

// kNotFound: nothing was ever deleted; kMalformed.
Result<Anchor> read_anchor(const std::filesystem::path& folder);

// Thread safety: none.
class Log {
 public:
  // Goes on behind the last whole block; one that was cut short by a crash is removed. kMalformed: a block was changed.
  static Result<Log> open(const std::filesystem::path& folder, const LogConfig& config);

  // Durable when it returns. `outcomes[i]` are those of entries[i]. kExhausted: the disk is full; kIo. After an error
  // the record is not there and the next one begins a segment.
  Status append(const Record& record, const std::vector<std::vector<allocate::Outcome>>& outcomes);

  const Hash& head() const { return head_; }

 private:
  Log(std::filesystem::path folder, const LogConfig& config) : folder_(std::move(folder)), config_(config) {}
  Status begin_segment(UnixNanos time);
  Status truncate_history(UnixNanos now);
  Status forget_oldest();

  std::filesystem::path folder_;
  LogConfig config_;
  std::uint64_t number_ = 0;  // of the newest segment
  UnixNanos begin_;
  Hash head_{};
  Encoder encoder_;
  File file_;                                                  // of the newest segment; closed until the first append
  std::vector<std::pair<std::uint64_t, std::uint64_t>> kept_;  // number and bytes of each segment, oldest first
};

}  // namespace foreflow::audit
