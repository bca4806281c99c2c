// SPDX-License-Identifier: Apache-2.0
// sqlite3's handles with owners, and its codes as errors that name the file.
// Place: host/store; nothing else includes sqlite3.h.
// Thread safety: none; SqliteStore gives each connection a lock.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace foreflow::store::sqlite {

class Connection {
 public:
  // Creates the file when it is missing. The file is read by others only if the umask and the folder allow it.
  static Result<Connection> open(const std::filesystem::path& path, std::chrono::milliseconds busy_timeout);

  // Runs statements without results.
  Status run(const std::string& sql);
  // The first column of the first row as an integer; 0 when there is no row.
  Result<std::int64_t> number(const std::string& sql);

  // Rows that the last statement inserted, changed or deleted.
  std::int64_t changes() const;

  // kExhausted: disk full; kUnavailable: locked; kInvalidConfig: not a database; kIo: anything else.
  tl::unexpected<Error> failure(int code, std::string_view doing) const;

  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Connection(sqlite3* handle, std::filesystem::path path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::filesystem::path path_;
};

// Bytes that are not text.
struct Blob {
  std::string_view bytes;
};

// A prepared statement, used again and again: bind, step until false, then bind anew. Must not outlive its connection.
class Statement {
 public:
  static Result<Statement> prepare(const Connection& connection, std::string_view sql);

  // Forgets the last run and binds ?1, ?2, ... in order. Text and blobs must live until the next bind() or reset().
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int position = 0;
    (bind_one(++position, values), ...);
    return *this;
  }
  // True: a row is there to be read. After false or an error the statement holds no lock.
  Result<bool> step();
  // step() for statements without rows.
  Status run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step
  std::string_view blob(int column) const;  // valid until the next step

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Connection& connection, sqlite3_stmt* statement) : connection_(&connection), statement_(statement) {}
  void bind_one(int position, std::int64_t value);
  void bind_one(int position, std::string_view text);
  void bind_one(int position, Blob blob);

  const Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace foreflow::store::sqlite
