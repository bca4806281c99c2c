// SPDX-License-Identifier: Apache-2.0
#include "host/app/open_store.h"

#include "host/store/influx_store.h"
#include "host/store/sqlite_store.h"

namespace foreflow::app {
namespace {

template <typename T>
Result<std::unique_ptr<store::SeriesStore>> as_series_store(Result<std::unique_ptr<T>> opened) {
  if (!opened) return tl::unexpected(opened.error());
  return std::unique_ptr<store::SeriesStore>(std::move(*opened));
}

}  // namespace

Result<std::unique_ptr<store::SeriesStore>> open_store(const model::StoreSettings& settings,
                                                       const std::filesystem::path& state_dir) {
  switch (settings.kind) {
    case model::StoreKind::kSqlite:
      return as_series_store(store::SqliteStore::open(settings.path));
    case model::StoreKind::kInfluxdb:
      return as_series_store(store::InfluxStore::open({.url = settings.url,
                                                       .database = settings.database,
                                                       .ca = settings.ca,
                                                       .username = settings.username,
                                                       .password_file = settings.password_file,
                                                       .buffer = state_dir / "influxdb-buffer"}));
  }
  return fail(ErrorCode::kInternal, "a store without a program");
}

}  // namespace foreflow::app
