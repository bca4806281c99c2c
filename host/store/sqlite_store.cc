// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite_store.h"

#include <mutex>

#include <fmt/format.h>

#include "common/log.h"
#include "host/store/check.h"
#include "host/store/sqlite_reader.h"
#include "host/store/sqlite_writer.h"

namespace foreflow::store {
namespace {

constexpr std::int64_t kExpireEvery = 5 * static_cast<std::int64_t>(kNanosPerSecond);

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace

class SqliteStore::Impl {
 public:
  Impl(const SqliteConfig& config, std::unique_ptr<SqliteWriter> writer, std::unique_ptr<SqliteReader> reader)
      : path_(config.path),
        clock_(config.clock != nullptr ? *config.clock : system_clock()),
        writer_(std::move(writer)),
        reader_(std::move(reader)) {}

  Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
    if (const auto good = check(points, watermark); !good) return good;
    const std::scoped_lock lock(writer_mutex_);
    const auto appended = writer_->append(points, watermark);
    if (!appended) return note(appended);
    expire_when_due();
    return {};
  }

  Result<std::size_t> expire() {
    const std::scoped_lock lock(writer_mutex_);
    return writer_->expire(clock_.now());
  }

  template <typename Read>
  auto read(const Read& read) {
    const std::scoped_lock lock(reader_mutex_);
    return read(*reader_);
  }

  Health health() const {
    const std::scoped_lock lock(health_mutex_);
    return Health{fmt::format("sqlite {}", path_.string()), 0, 0, last_error_};
  }

 private:
  // What was appended is stored whether or not old points could be deleted.
  void expire_when_due() {
    const auto now = clock_.now();
    if (now.value < next_expire_) return;
    next_expire_ = now.value + kExpireEvery;
    const auto removed = writer_->expire(now);
    if (!removed) log::warning("old points could not be deleted", {{"error", removed.error().message}});
  }

  Status note(const Status& status) {
    const std::scoped_lock lock(health_mutex_);
    last_error_ = status.error().message;
    return status;
  }

  const std::filesystem::path path_;
  const Clock& clock_;
  std::mutex writer_mutex_;
  std::unique_ptr<SqliteWriter> writer_;
  std::int64_t next_expire_ = 0;
  std::mutex reader_mutex_;
  std::unique_ptr<SqliteReader> reader_;
  mutable std::mutex health_mutex_;
  std::string last_error_;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteConfig& config) {
  auto writer = SqliteWriter::open(config);
  if (!writer) return tl::unexpected(writer.error());
  auto reader = SqliteReader::open(config);
  if (!reader) return tl::unexpected(reader.error());
  auto impl = std::make_unique<Impl>(config, std::move(*writer), std::move(*reader));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path) {
  SqliteConfig config;
  config.path = path;
  return open(config);
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Status SqliteStore::append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
  return impl_->append(points, watermark);
}

Result<std::vector<Point>> SqliteStore::range(const RangeQuery& query) {
  return impl_->read([&](SqliteReader& reader) { return reader.range(query); });
}

Result<std::optional<Point>> SqliteStore::last(Measurement measurement, const std::string& vm) {
  return impl_->read([&](SqliteReader& reader) { return reader.last(measurement, vm); });
}

Result<std::uint64_t> SqliteStore::watermark(const std::string& dataplane, std::uint64_t boot_id) {
  return impl_->read([&](SqliteReader& reader) { return reader.watermark(dataplane, boot_id); });
}

SeriesStore::Health SqliteStore::health() const { return impl_->health(); }

Result<std::size_t> SqliteStore::expire() { return impl_->expire(); }

}  // namespace foreflow::store
