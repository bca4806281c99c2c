// SPDX-License-Identifier: Apache-2.0
// Compiled pattern databases on disk, since compiling hundreds of patterns takes seconds and reading them milliseconds.
// Place: dataplane/classify, at load. A file belongs to exactly one set of patterns, one version of Hyperscan and one
// kind of CPU: it holds what it was made from, which is compared byte by byte.
// Form: "foreflow-patterns 1 <CRC-32 of the rest, hex> <size of the key>\n", the key, Hyperscan's serialised database.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

#include "common/result.h"
#include "dataplane/classify/regex.h"

namespace foreflow::classify {

// Thread safety: none; processes may share a directory (files are replaced whole).
class DatabaseCache {
 public:
  static constexpr std::size_t kMostFiles = 16;

  // `directory` is made when it is missing; empty: nothing is kept. What cannot be read or written is logged and
  // compiled, never an error; what is damaged is replaced.
  explicit DatabaseCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // As compile(); from the directory when it is there.
  Result<RegexDatabase> get(std::span<const NumberedPattern> patterns);

  // How many of the databases so far were read rather than compiled.
  std::size_t hits() const noexcept { return hits_; }

 private:
  RegexDatabase read(const std::filesystem::path& file, std::string_view key);
  void write(const std::filesystem::path& file, std::string_view key, const RegexDatabase& database) const;
  void forget_oldest() const;

  std::filesystem::path directory_;
  std::size_t hits_ = 0;
};

}  // namespace foreflow::classify
