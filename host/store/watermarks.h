// SPDX-License-Identifier: Apache-2.0
// The highest stored sequence of each boot of each dataplane, for stores whose database cannot keep it.
// Place: host/store. Thread safety: all members from any thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

class Watermarks {
 public:
  static constexpr std::size_t kBootsKept = 64;  // of a dataplane; the one raised longest ago goes first

  void raise(const Watermark& watermark);
  std::uint64_t get(const std::string& dataplane, std::uint64_t boot_id) const;

  // Text: a line `foreflow-watermarks 1 CRC`, then a line `BOOT SEQUENCE DATAPLANE` each.
  Status save(const std::filesystem::path& path) const;
  // A missing file has none. kMalformed: damaged.
  Status load(const std::filesystem::path& path);

 private:
  struct Boot {
    std::uint64_t id;
    std::uint64_t sequence;
  };
  void raise_locked(const Watermark& watermark);

  mutable std::mutex mutex_;
  std::map<std::string, std::list<Boot>> boots_;  // most recently raised first
};

}  // namespace foreflow::store
