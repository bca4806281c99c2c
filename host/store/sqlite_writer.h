// SPDX-License-Identifier: Apache-2.0
// The writing connection of SqliteStore: points, watermarks, retention.
// Place: host/store. Thread safety: none, SqliteStore holds a lock around each call.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "host/store/field_codec.h"
#include "host/store/sqlite.h"
#include "host/store/sqlite_store.h"

namespace foreflow::store {

class SqliteWriter {
 public:
  static Result<std::unique_ptr<SqliteWriter>> open(const SqliteConfig& config);

  Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark);
  // One bounded step of retention; `now` by the wall clock.
  Result<std::size_t> expire(UnixNanos now);

 private:
  static constexpr std::size_t kSeriesCached = 100'000;
  static constexpr std::size_t kBootsKept = 64;  // watermarks of a dataplane

  SqliteWriter(sqlite::Connection connection, const SqliteConfig& config)
      : connection_(std::move(connection)), retention_(config.retention) {}
  Status prepare();
  Status write(const Point& point);
  Status write(const Watermark& watermark);
  Result<std::int64_t> series_id(const Point& point);
  Result<std::uint32_t> field_id(const std::string& name);
  Result<NumberedFields> numbered(const Point& point);
  Result<std::size_t> expire(Resolution resolution, UnixNanos now, std::size_t most);
  void forget_ids();

  struct Table {
    sqlite::Statement insert, select, update, remove;
    std::int64_t newest;  // time of the newest point, INT64_MIN when there is none
    std::int64_t cursor;  // series at which the next step of retention goes on
  };

  sqlite::Connection connection_;  // first: outlives its statements
  std::array<std::chrono::seconds, kResolutions> retention_;
  std::vector<Table> tables_;  // by Resolution
  std::optional<sqlite::Statement> find_series_, add_series_, find_field_, add_field_, find_watermark_, add_watermark_,
      prune_watermarks_, series_after_;
  std::map<std::tuple<Measurement, Tags>, std::int64_t> series_;
  std::unordered_map<std::string, std::uint32_t> fields_;
};

}  // namespace foreflow::store
