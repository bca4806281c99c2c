// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite_schema.h"

#include <string>

#include <fmt/format.h>

namespace foreflow::store {
namespace {

constexpr std::int64_t kApplicationId = 0x464C4F57;  // "FLOW", in the file's header
constexpr std::int64_t kSchemaVersion = 1;

constexpr std::string_view kTables = R"sql(
CREATE TABLE series(
  id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, subject TEXT NOT NULL, host TEXT NOT NULL, dpu TEXT NOT NULL,
  UNIQUE(measurement, subject, host, dpu));
CREATE TABLE field(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE watermark(
  dataplane TEXT NOT NULL, boot INTEGER NOT NULL, sequence INTEGER NOT NULL, touched INTEGER NOT NULL,
  PRIMARY KEY(dataplane, boot)) WITHOUT ROWID;
)sql";

Status create(sqlite::Connection& connection) {
  auto transaction = sqlite::Transaction::begin(connection);
  if (!transaction) return tl::unexpected(transaction.error());
  std::string sql(kTables);
  for (const auto resolution : {Resolution::kRaw, Resolution::k1Min, Resolution::k5Min, Resolution::k1Hour})
    sql += fmt::format(
        "CREATE TABLE {}(series INTEGER NOT NULL, time INTEGER NOT NULL, fields BLOB NOT NULL,"
        " PRIMARY KEY(series, time)) WITHOUT ROWID;\n",
        points_table(resolution));
  sql += fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplicationId, kSchemaVersion);
  if (const auto created = connection.run(sql); !created) return created;
  return transaction->commit();
}

}  // namespace

std::string_view points_table(Resolution resolution) {
  switch (resolution) {
    case Resolution::kRaw:
      return "points_raw";
    case Resolution::k1Min:
      return "points_1m";
    case Resolution::k5Min:
      return "points_5m";
    case Resolution::k1Hour:
      return "points_1h";
  }
  return "points_raw";
}

Status prepare_schema(sqlite::Connection& connection, const std::filesystem::path& path) {
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tl::unexpected(tables.error());
  if (*tables == 0) return create(connection);

  const auto application = connection.number("PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  if (*application != kApplicationId)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: a database of another program; name another file", path.string()));
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version != kSchemaVersion)
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("{}: its schema has version {}, this program knows version {}; use the Foreflow that made it",
                    path.string(), *version, kSchemaVersion));
  return {};
}

}  // namespace foreflow::store
