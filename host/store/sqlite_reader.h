// SPDX-License-Identifier: Apache-2.0
// The reading connection of SqliteStore.
// Place: host/store. Thread safety: none, SqliteStore holds a lock around each call.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/store/sqlite.h"
#include "host/store/sqlite_store.h"

namespace foreflow::store {

class SqliteReader {
 public:
  // After the writer has made the tables.
  static Result<std::unique_ptr<SqliteReader>> open(const SqliteConfig& config);

  Result<std::vector<Point>> range(const RangeQuery& query);
  Result<std::optional<Point>> last(Measurement measurement, const std::string& subject);
  Result<std::uint64_t> watermark(const std::string& dataplane, std::uint64_t boot_id);

 private:
  explicit SqliteReader(sqlite::Connection connection) : connection_(std::move(connection)) {}
  Status prepare();
  // Row = host, dpu, time, fields.
  Result<Point> point(const sqlite::Statement& row, Measurement measurement, Resolution resolution,
                      const std::string& subject);
  Result<std::string> field_name(std::uint32_t id);

  sqlite::Connection connection_;         // first: outlives its statements
  std::vector<sqlite::Statement> range_;  // by Resolution
  std::optional<sqlite::Statement> last_, watermark_, field_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace foreflow::store
