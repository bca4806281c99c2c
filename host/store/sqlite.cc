// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace foreflow::store::sqlite {
namespace {

ErrorCode code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_NOTADB:
      return ErrorCode::kInvalidConfig;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Connection> Connection::open(const std::filesystem::path& path, std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (handle == nullptr) return fail(ErrorCode::kExhausted, fmt::format("{}: no memory to open it", path.string()));
  Connection connection(handle, path);
  if (code != SQLITE_OK) return connection.failure(code, "opening it");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  return connection;
}

Status Connection::run(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code, sql.substr(0, sql.find('(')));
  return {};
}

Result<std::int64_t> Connection::number(const std::string& sql) {
  auto statement = Statement::prepare(*this, sql);
  if (!statement) return tl::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return tl::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle()); }

tl::unexpected<Error> Connection::failure(int code, std::string_view doing) const {
  const auto kind = code_of(code);
  if (kind == ErrorCode::kInvalidConfig)
    return fail(kind,
                fmt::format("{}: not a SQLite database; name another file or move this one away", path_.string()));
  if (kind == ErrorCode::kExhausted)
    return fail(kind, fmt::format("{}: the disk or the database's size limit is full ({})", path_.string(), doing));
  return fail(kind,
              fmt::format("{}: {} ({}): {}", path_.string(), doing, sqlite3_errstr(code), sqlite3_errmsg(handle())));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Statement> Statement::prepare(const Connection& connection, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return connection.failure(code, "preparing a statement");
  return Statement(connection, statement);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    auto error = connection_->failure(code, "running a statement");
    reset();
    return error;
  }
  reset();
  return false;
}

Status Statement::run() {
  const auto row = step();
  if (!row) return tl::unexpected(row.error());
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const { return blob(column); }

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view{} : std::string_view{data, static_cast<std::size_t>(size)};
}

// Out of memory is the only way for these to fail; the step then finds a NULL where the schema forbids it.
void Statement::bind_one(int position, std::int64_t value) { sqlite3_bind_int64(statement_.get(), position, value); }

void Statement::bind_one(int position, std::string_view text) {
  // A view without memory would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), position, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_one(int position, Blob blob) {
  sqlite3_bind_blob64(statement_.get(), position, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
}

Result<Transaction> Transaction::begin(Connection& connection) {
  if (const auto begun = connection.run("BEGIN IMMEDIATE"); !begun) return tl::unexpected(begun.error());
  return Transaction(connection);
}

Transaction::~Transaction() {
  // A full disk may have rolled back already; then this fails and nothing is lost by it.
  if (connection_ != nullptr) sqlite3_exec(connection_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Transaction::commit() {
  if (const auto committed = connection_->run("COMMIT"); !committed) return committed;
  connection_ = nullptr;
  return {};
}

}  // namespace foreflow::store::sqlite
