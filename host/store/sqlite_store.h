// SPDX-License-Identifier: Apache-2.0
// The embedded store: one SQLite file, no server.
// Place: host/store; the default SeriesStore.
//
// Points and watermark share a transaction, so a crash leaves both or neither (WAL, synchronous = FULL: also a power
// cut). One connection writes and one reads; readers never wait for a writer. Tables: sqlite_schema.h.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "common/clock.h"
#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

inline constexpr std::size_t kResolutions = 4;

struct SqliteConfig {
  std::filesystem::path path;
  // How long points are kept, by Resolution; 0 = for ever. Measured back from the wall clock or the newest point,
  // whichever is older, so that neither a replayed capture nor a dataplane with a wrong clock empties the database.
  std::array<std::chrono::seconds, kResolutions> retention{std::chrono::days(7), std::chrono::days(60),
                                                           std::chrono::days(400), std::chrono::days(3650)};
  std::uint64_t size_limit = 0;                   // bytes of the file; 0 = the disk's
  std::chrono::milliseconds busy_timeout{5'000};  // for another process's lock
  const Clock* clock = nullptr;                   // of retention; the system's when null
};

class SqliteStore final : public SeriesStore {
 public:
  // Creates the file when it is missing. kInvalidConfig: not a database of ours, or of a newer Foreflow; the message
  // names the file.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteConfig& config);
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& path);
  ~SqliteStore() override;

  Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) override;
  Result<std::vector<Point>> range(const RangeQuery& query) override;
  Result<std::optional<Point>> last(Measurement measurement, const std::string& vm) override;
  Result<std::uint64_t> watermark(const std::string& dataplane, std::uint64_t boot_id) override;
  Health health() const override;

  // Deletes at most `kExpireStep` points that are past retention and says how many; append() does so by itself every
  // few seconds.
  Result<std::size_t> expire();
  static constexpr std::size_t kExpireStep = 5'000;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::store
