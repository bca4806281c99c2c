// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "host/store/field_codec.h"
#include "host/store/sqlite_schema.h"

namespace foreflow::store {

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const SqliteConfig& config) {
  auto connection = sqlite::Connection::open(config.path, config.busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(*connection)));
  if (const auto prepared = reader->prepare(); !prepared) return tl::unexpected(prepared.error());
  return reader;
}

Status SqliteReader::prepare() {
  if (const auto set = connection_.run("PRAGMA query_only = 1"); !set) return set;
  std::optional<Error> error;
  const auto prepared = [&](const std::string& sql) -> std::optional<sqlite::Statement> {
    auto statement = sqlite::Statement::prepare(connection_, sql);
    if (statement) return std::move(*statement);
    error = statement.error();
    return std::nullopt;
  };
  for (const auto resolution : {Resolution::kRaw, Resolution::k1Min, Resolution::k5Min, Resolution::k1Hour}) {
    auto statement =
        prepared(fmt::format("SELECT s.host, s.dpu, p.time, p.fields FROM series s JOIN {} p ON p.series = s.id"
                             " WHERE s.measurement = ?1 AND s.subject = ?2 AND p.time >= ?3 AND p.time < ?4"
                             " ORDER BY p.time, s.host, s.dpu",
                             points_table(resolution)));
    if (error) return tl::unexpected(*error);
    range_.push_back(std::move(*statement));
  }
  // The newest of each series by its key, so that a long history costs nothing.
  last_ = prepared(
      "SELECT s.host, s.dpu, p.time, p.fields FROM series s JOIN points_raw p"
      " ON p.series = s.id AND p.time = (SELECT max(time) FROM points_raw WHERE series = s.id)"
      " WHERE s.measurement = ?1 AND s.subject = ?2 ORDER BY p.time DESC, s.host DESC, s.dpu DESC LIMIT 1");
  watermark_ = prepared("SELECT sequence FROM watermark WHERE dataplane = ?1 AND boot = ?2");
  field_ = prepared("SELECT name FROM field WHERE id = ?1");
  if (error) return tl::unexpected(*error);
  return {};
}

Result<std::vector<Point>> SqliteReader::range(const RangeQuery& query) {
  auto& statement = range_[static_cast<std::size_t>(query.resolution)];
  statement.bind(to_string(query.measurement), std::string_view(query.vm), query.from.value, query.to.value);
  std::vector<Point> points;
  for (;;) {
    const auto row = statement.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return points;
    auto read = point(statement, query.measurement, query.resolution, query.vm);
    if (!read) {
      statement.reset();
      return tl::unexpected(read.error());
    }
    points.push_back(std::move(*read));
  }
}

Result<std::optional<Point>> SqliteReader::last(Measurement measurement, const std::string& subject) {
  const auto row = last_->bind(to_string(measurement), std::string_view(subject)).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<Point>{};
  auto read = point(*last_, measurement, Resolution::kRaw, subject);
  last_->reset();
  if (!read) return tl::unexpected(read.error());
  return std::optional(std::move(*read));
}

Result<std::uint64_t> SqliteReader::watermark(const std::string& dataplane, std::uint64_t boot_id) {
  const auto row = watermark_->bind(std::string_view(dataplane), static_cast<std::int64_t>(boot_id)).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return 0;
  const auto sequence = static_cast<std::uint64_t>(watermark_->integer(0));
  watermark_->reset();
  return sequence;
}

Result<Point> SqliteReader::point(const sqlite::Statement& row, Measurement measurement, Resolution resolution,
                                  const std::string& subject) {
  Point point{measurement, resolution, {}, UnixNanos{row.integer(2)}, {}};
  point.tags = Tags{std::string(row.text(0)), std::string(row.text(1)), subject};
  if (measurement == Measurement::kDataplane) point.tags.vm.clear();
  const auto fields = decode_fields(row.blob(3));
  if (!fields) return tl::unexpected(fields.error());
  point.fields.reserve(fields->size());
  for (const auto& [id, value] : *fields) {
    auto name = field_name(id);
    if (!name) return tl::unexpected(name.error());
    point.fields.emplace_back(std::move(*name), value);
  }
  std::sort(point.fields.begin(), point.fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return point;
}

Result<std::string> SqliteReader::field_name(std::uint32_t id) {
  if (const auto known = names_.find(id); known != names_.end()) return known->second;
  const auto row = field_->bind(static_cast<std::int64_t>(id)).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return fail(ErrorCode::kMalformed, fmt::format("a stored point has the unknown field number {}", id));
  std::string name(field_->text(0));
  field_->reset();
  return names_.emplace(id, std::move(name)).first->second;
}

}  // namespace foreflow::store
