// SPDX-License-Identifier: Apache-2.0
// Signatures as their files state them, checked but not compiled. The language: configs/signatures/README.md.
// Place: dataplane/classify; read once per load, never in the packet path.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/category.h"
#include "common/result.h"
#include "dataplane/classify/validators.h"

namespace foreflow::classify {

inline constexpr std::size_t kScanBytes = 512;  // of a payload that patterns see; validators see all of it
inline constexpr std::size_t kMostPatterns = 4096;
inline constexpr std::size_t kLongestPattern = 1024;

struct Transports {
  bool tcp = false;
  bool udp = false;
};

// Who says the words of a pattern.
enum class Speaker : std::uint8_t { kEither, kClient, kServer };

struct Pattern {
  std::string regex;         // without an anchor
  std::uint32_t offset = 0;  // where a match starts
  std::uint32_t depth = 0;   // not 0: starts anywhere instead, and ends within the first `depth` bytes
  Validator validator = nullptr;
  std::uint8_t confidence = 0;  // percent
  bool twice = false;           // weak alone: two payloads of a flow must show it
  Speaker speaker = Speaker::kEither;
  Transports transports;
  std::string where;  // "file:line" of its regex
};

struct Signature {
  std::string protocol;
  Category category = Category::kUnknown;
  std::vector<std::uint16_t> ports;        // break a tie, never decide
  std::vector<std::uint8_t> ip_protocols;  // that carry nothing else: they decide without a pattern
  std::vector<Pattern> patterns;
  std::string file;  // with the line that begins it: "file:line"
};

// Every mistake of the file at once: unknown keys, unknown validators, patterns that Hyperscan refuses or that would be
// slow, each with file, line and what would be right.
Result<std::vector<Signature>> read_signatures(const std::filesystem::path& file);
Result<std::vector<Signature>> parse_signatures(std::string_view text, std::string_view name);

}  // namespace foreflow::classify
