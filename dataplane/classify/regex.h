// SPDX-License-Identifier: Apache-2.0
// The one place that knows Hyperscan: checks single patterns, compiles many into a database, scans one buffer.
// Place: dataplane/classify.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "dataplane/classify/signature.h"

struct hs_database;
struct hs_scratch;

namespace foreflow::classify {

// Why this pattern is refused and what would be right; empty when it is fine.
std::optional<std::string> objection(const Pattern& pattern);

// It matches at one place, and no more bytes than it has characters and counts: an end to look for is known.
bool is_bounded_start(const Pattern& pattern);

struct FreeDatabase {
  void operator()(hs_database* database) const noexcept;
};
struct FreeScratch {
  void operator()(hs_scratch* scratch) const noexcept;
};
using RegexDatabase = std::unique_ptr<hs_database, FreeDatabase>;
using RegexScratch = std::unique_ptr<hs_scratch, FreeScratch>;

// One pattern of a database; `id` is what a scan reports.
struct NumberedPattern {
  const Pattern* pattern;
  std::uint16_t id;
};

// Null when there are no patterns. An error names the pattern.
Result<RegexDatabase> compile(std::span<const NumberedPattern> patterns);

// All that decides what compile() makes: patterns with their ids and flags, Hyperscan's version, the CPU's features.
std::string fingerprint(std::span<const NumberedPattern> patterns);
// A database as bytes and back; null when the bytes are none of this Hyperscan and CPU.
std::string serialise(const hs_database& database);
RegexDatabase deserialise(std::string_view bytes);

// Grows `scratch` so that it also serves `database` (null: nothing to do).
Status prepare(const hs_database* database, RegexScratch& scratch);

// The ids of one scan, each once.
struct Matches {
  std::array<std::uint16_t, kMostPatterns> ids;
  std::size_t count = 0;
};

// Fills `matches` with what is found in the first kScanBytes of `payload`. No allocation.
void scan(const hs_database* database, hs_scratch* scratch, std::span<const std::uint8_t> payload,
          Matches& matches) noexcept;

}  // namespace foreflow::classify
