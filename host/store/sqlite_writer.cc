// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite_writer.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "host/store/sqlite_schema.h"

namespace foreflow::store {
namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::min();

std::string_view subject(const Point& point) {
  return point.measurement == Measurement::kDataplane ? point.tags.dpu : point.tags.vm;
}

}  // namespace

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(const SqliteConfig& config) {
  auto connection = sqlite::Connection::open(config.path, config.busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(std::move(*connection), config));
  // Before anything is written: a file that is not ours stays as it is.
  if (const auto ours = prepare_schema(writer->connection_, config.path); !ours) return tl::unexpected(ours.error());
  if (const auto set = writer->connection_.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"); !set)
    return tl::unexpected(set.error());
  if (config.size_limit > 0) {
    const auto page = writer->connection_.number("PRAGMA page_size");
    if (!page) return tl::unexpected(page.error());
    const auto pages = std::max<std::uint64_t>(1, config.size_limit / static_cast<std::uint64_t>(*page));
    if (const auto set = writer->connection_.number(fmt::format("PRAGMA max_page_count = {}", pages)); !set)
      return tl::unexpected(set.error());
  }
  if (const auto prepared = writer->prepare(); !prepared) return tl::unexpected(prepared.error());
  return writer;
}

Status SqliteWriter::prepare() {
  std::optional<Error> error;
  const auto prepared = [&](const std::string& sql) -> std::optional<sqlite::Statement> {
    auto statement = sqlite::Statement::prepare(connection_, sql);
    if (statement) return std::move(*statement);
    error = statement.error();
    return std::nullopt;
  };
  find_series_ = prepared("SELECT id FROM series WHERE measurement = ?1 AND subject = ?2 AND host = ?3 AND dpu = ?4");
  add_series_ = prepared("INSERT INTO series(measurement, subject, host, dpu) VALUES(?1, ?2, ?3, ?4) RETURNING id");
  find_field_ = prepared("SELECT id FROM field WHERE name = ?1");
  add_field_ = prepared("INSERT INTO field(name) VALUES(?1) RETURNING id");
  find_watermark_ = prepared("SELECT sequence FROM watermark WHERE dataplane = ?1 AND boot = ?2");
  add_watermark_ = prepared(
      "INSERT INTO watermark(dataplane, boot, sequence, touched)"
      " VALUES(?1, ?2, ?3, (SELECT coalesce(max(touched), 0) + 1 FROM watermark WHERE dataplane = ?1))"
      " ON CONFLICT(dataplane, boot) DO UPDATE SET"
      " sequence = max(sequence, excluded.sequence), touched = excluded.touched");
  prune_watermarks_ = prepared(
      "DELETE FROM watermark WHERE dataplane = ?1 AND touched <="
      " (SELECT touched FROM watermark WHERE dataplane = ?1 ORDER BY touched DESC LIMIT 1 OFFSET ?2)");
  series_after_ = prepared("SELECT id FROM series WHERE id > ?1 ORDER BY id LIMIT 1");
  for (const auto resolution : {Resolution::kRaw, Resolution::k1Min, Resolution::k5Min, Resolution::k1Hour}) {
    const auto table = points_table(resolution);
    auto insert = prepared(fmt::format("INSERT INTO {} VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", table));
    auto select = prepared(fmt::format("SELECT fields FROM {} WHERE series = ?1 AND time = ?2", table));
    auto update = prepared(fmt::format("UPDATE {} SET fields = ?3 WHERE series = ?1 AND time = ?2", table));
    // At most ?3 of the oldest points of one series.
    auto remove =
        prepared(fmt::format("DELETE FROM {0} WHERE series = ?1 AND time < ?2 AND time <="
                             " (SELECT max(time) FROM (SELECT time FROM {0} WHERE series = ?1 ORDER BY time LIMIT ?3))",
                             table));
    if (error) return tl::unexpected(*error);
    const auto newest = connection_.number(fmt::format(
        "SELECT coalesce(max((SELECT max(time) FROM {} WHERE series = id)), {}) FROM series", table, kNever + 1));
    if (!newest) return tl::unexpected(newest.error());
    tables_.push_back(
        Table{std::move(*insert), std::move(*select), std::move(*update), std::move(*remove), *newest, 0});
  }
  return {};
}

Status SqliteWriter::append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
  auto transaction = sqlite::Transaction::begin(connection_);
  if (!transaction) return tl::unexpected(transaction.error());
  Status done;
  for (std::size_t i = 0; done && i < points.size(); ++i) done = write(points[i]);
  if (done && watermark) done = write(*watermark);
  if (done) done = transaction->commit();
  if (!done) {
    forget_ids();  // some may have been given in what is rolled back now
    return done;
  }
  for (const auto& point : points) {
    auto& newest = tables_[static_cast<std::size_t>(point.resolution)].newest;
    newest = std::max(newest, point.time.value);
  }
  return {};
}

Status SqliteWriter::write(const Point& point) {
  const auto series = series_id(point);
  if (!series) return tl::unexpected(series.error());
  const auto fields = numbered(point);
  if (!fields) return tl::unexpected(fields.error());
  auto& table = tables_[static_cast<std::size_t>(point.resolution)];
  const auto blob = encode_fields(*fields);
  const auto time = point.time.value;
  if (const auto inserted = table.insert.bind(*series, time, sqlite::Blob{blob}).run(); !inserted) return inserted;
  if (connection_.changes() == 1) return {};

  const auto row = table.select.bind(*series, time).step();
  if (!row) return tl::unexpected(row.error());
  const std::string older_blob(table.select.blob(0));
  table.select.reset();
  const auto older = decode_fields(older_blob);
  if (!older) return tl::unexpected(older.error());
  const auto merged = encode_fields(merge_fields(*older, *fields));
  if (merged == older_blob) return {};
  return table.update.bind(*series, time, sqlite::Blob{merged}).run();
}

Status SqliteWriter::write(const Watermark& watermark) {
  const std::string_view dataplane = watermark.dataplane;
  const auto boot = static_cast<std::int64_t>(watermark.boot_id);  // only compared for equality
  const auto known = find_watermark_->bind(dataplane, boot).step();
  if (!known) return tl::unexpected(known.error());
  find_watermark_->reset();
  const auto added = add_watermark_->bind(dataplane, boot, static_cast<std::int64_t>(watermark.sequence)).run();
  if (!added || *known) return added;
  return prune_watermarks_->bind(dataplane, static_cast<std::int64_t>(kBootsKept)).run();
}

Result<std::int64_t> SqliteWriter::series_id(const Point& point) {
  const auto key = std::make_tuple(point.measurement, point.tags);
  if (const auto known = series_.find(key); known != series_.end()) return known->second;
  if (series_.size() >= kSeriesCached) series_.clear();
  for (auto* statement : {&*find_series_, &*add_series_}) {
    const std::string_view host = point.tags.host, dpu = point.tags.dpu;
    const auto row = statement->bind(to_string(point.measurement), subject(point), host, dpu).step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) continue;
    const auto id = statement->integer(0);
    statement->reset();
    series_.emplace(key, id);
    return id;
  }
  return fail(ErrorCode::kInternal, "a new series got no id");
}

Result<std::uint32_t> SqliteWriter::field_id(const std::string& name) {
  if (const auto known = fields_.find(name); known != fields_.end()) return known->second;
  for (auto* statement : {&*find_field_, &*add_field_}) {
    const auto row = statement->bind(std::string_view(name)).step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) continue;
    const auto id = static_cast<std::uint32_t>(statement->integer(0));
    statement->reset();
    fields_.emplace(name, id);
    return id;
  }
  return fail(ErrorCode::kInternal, "a new field got no id");
}

Result<NumberedFields> SqliteWriter::numbered(const Point& point) {
  NumberedFields fields;
  fields.reserve(point.fields.size());
  for (const auto& [name, value] : point.fields) {
    const auto id = field_id(name);
    if (!id) return tl::unexpected(id.error());
    fields.emplace_back(*id, value);
  }
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return fields;
}

Result<std::size_t> SqliteWriter::expire(UnixNanos now) {
  std::size_t removed = 0;
  for (const auto resolution : {Resolution::kRaw, Resolution::k1Min, Resolution::k5Min, Resolution::k1Hour}) {
    const auto step = expire(resolution, now, SqliteStore::kExpireStep - removed);
    if (!step) return step;
    removed += *step;
  }
  return removed;
}

// Goes round the series, so that each step costs little whatever there is to delete.
Result<std::size_t> SqliteWriter::expire(Resolution resolution, UnixNanos now, std::size_t most) {
  constexpr int kSeriesPerStep = 1'000;
  auto& table = tables_[static_cast<std::size_t>(resolution)];
  const auto keep = retention_[static_cast<std::size_t>(resolution)];
  if (keep.count() == 0) return 0;
  std::int64_t cutoff = 0;
  const auto keep_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(keep).count();
  if (__builtin_sub_overflow(std::min(now.value, table.newest), keep_ns, &cutoff)) return 0;

  auto transaction = sqlite::Transaction::begin(connection_);
  if (!transaction) return tl::unexpected(transaction.error());
  std::size_t removed = 0;
  for (int visited = 0; visited < kSeriesPerStep && removed < most; ++visited) {
    const auto row = series_after_->bind(table.cursor).step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) {
      table.cursor = 0;
      break;
    }
    const auto series = series_after_->integer(0);
    series_after_->reset();
    const auto left = static_cast<std::int64_t>(most - removed);
    if (const auto run = table.remove.bind(series, cutoff, left).run(); !run) return tl::unexpected(run.error());
    removed += static_cast<std::size_t>(connection_.changes());
    if (removed < most) table.cursor = series;
  }
  if (const auto committed = transaction->commit(); !committed) return tl::unexpected(committed.error());
  return removed;
}

void SqliteWriter::forget_ids() {
  series_.clear();
  fields_.clear();
}

}  // namespace foreflow::store
