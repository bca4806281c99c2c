// SPDX-License-Identifier: Apache-2.0
#include "host/store/state_store.h"

#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "host/store/sqlite.h"

namespace foreflow::store {
namespace {

constexpr std::int64_t kApplicationId = 0x46465354;  // "FFST"
constexpr std::int64_t kSchemaVersion = 1;
constexpr std::chrono::milliseconds kBusyTimeout{5'000};

constexpr std::string_view kSchema =
    "CREATE TABLE vm(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE kept(kind INTEGER NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY(kind, key))"
    " WITHOUT ROWID;";

Status prepare(sqlite::Connection& connection, const std::filesystem::path& path) {
  // A manager that says "done" has it on disk, through a power cut.
  if (auto set = connection.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"); !set) return set;
  const auto owner = connection.number("PRAGMA application_id");
  const auto version = connection.number("PRAGMA user_version");
  const auto tables = connection.number("SELECT count(*) FROM sqlite_master");
  for (const auto* read : {&owner, &version, &tables})
    if (!*read) return tl::unexpected(read->error());
  if (*tables == 0)
    return connection.run(fmt::format("BEGIN; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;", kSchema,
                                      kApplicationId, kSchemaVersion));
  if (*owner != kApplicationId)
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: belongs to another program", path.string()));
  if (*version != kSchemaVersion)
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: is of version {}; this program reads version {}",
                                                       path.string(), *version, kSchemaVersion));
  return {};
}

}  // namespace

class StateStore::Impl {
 public:
  explicit Impl(sqlite::Connection connection) : connection_(std::move(connection)) {}

  Result<VmId> vm_id(const std::string& name) {
    std::lock_guard lock(mutex_);
    if (auto added = change("INSERT OR IGNORE INTO vm(name) VALUES(?1)", name); !added)
      return tl::unexpected(added.error());
    auto statement = sqlite::Statement::prepare(connection_, "SELECT id FROM vm WHERE name = ?1");
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->bind(std::string_view(name)).step();
    if (!row) return tl::unexpected(row.error());
    return VmId{static_cast<std::uint32_t>(statement->integer(0))};
  }

  Status put(StateKind kind, const std::string& key, const std::string& text) {
    std::lock_guard lock(mutex_);
    return change("INSERT OR REPLACE INTO kept(kind, key, text) VALUES(?1, ?2, ?3)", number(kind), key, text);
  }

  Status erase(StateKind kind, const std::string& key) {
    std::lock_guard lock(mutex_);
    return change("DELETE FROM kept WHERE kind = ?1 AND key = ?2", number(kind), key);
  }

  Result<std::map<std::string, std::string>> all(StateKind kind) {
    std::lock_guard lock(mutex_);
    auto statement = sqlite::Statement::prepare(connection_, "SELECT key, text FROM kept WHERE kind = ?1");
    if (!statement) return tl::unexpected(statement.error());
    statement->bind(number(kind));
    std::map<std::string, std::string> found;
    while (true) {
      const auto row = statement->step();
      if (!row) return tl::unexpected(row.error());
      if (!*row) return found;
      found.emplace(statement->text(0), statement->text(1));
    }
  }

 private:
  static std::int64_t number(StateKind kind) { return static_cast<std::int64_t>(kind); }
  static std::int64_t bindable(std::int64_t value) { return value; }
  static std::string_view bindable(const std::string& text) { return text; }

  template <typename... Values>
  Status change(std::string_view sql, const Values&... values) {
    auto statement = sqlite::Statement::prepare(connection_, sql);
    if (!statement) return tl::unexpected(statement.error());
    return statement->bind(bindable(values)...).run();
  }

  std::mutex mutex_;
  sqlite::Connection connection_;
};

StateStore::StateStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateStore::~StateStore() = default;

Result<std::unique_ptr<StateStore>> StateStore::open(const std::filesystem::path& path) {
  auto connection = sqlite::Connection::open(path, kBusyTimeout);
  if (!connection) return tl::unexpected(connection.error());
  if (auto ready = prepare(*connection, path); !ready) return tl::unexpected(ready.error());
  return std::unique_ptr<StateStore>(new StateStore(std::make_unique<Impl>(std::move(*connection))));
}

Result<VmId> StateStore::vm_id(const std::string& name) { return impl_->vm_id(name); }
Status StateStore::put(StateKind kind, const std::string& key, const std::string& text) {
  return impl_->put(kind, key, text);
}
Status StateStore::erase(StateKind kind, const std::string& key) { return impl_->erase(kind, key); }
Result<std::map<std::string, std::string>> StateStore::all(StateKind kind) { return impl_->all(kind); }

}  // namespace foreflow::store
