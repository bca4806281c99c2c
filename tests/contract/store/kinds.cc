// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store/kinds.h"

#include "host/store/influx_store.h"
#include "host/store/sqlite_store.h"
#include "tests/contract/store/influx_server.h"

namespace foreflow::store {
namespace {

class SqliteBench final : public StoreBench {
 public:
  Result<std::unique_ptr<SeriesStore>> open() override {
    auto opened = SqliteStore::open(folder_.path() / "series.db");
    if (!opened) return tl::unexpected(opened.error());
    return std::unique_ptr<SeriesStore>(std::move(*opened));
  }

 private:
  test::TemporaryDirectory folder_;
};

class InfluxBench final : public StoreBench {
 public:
  InfluxBench() {
    config_.url = server_.url();
    config_.buffer = folder_.path() / "buffer";
    config_.read_wait = std::chrono::seconds(20);  // a busy machine
  }
  Result<std::unique_ptr<SeriesStore>> open() override {
    auto opened = InfluxStore::open(config_);
    if (!opened) return tl::unexpected(opened.error());
    return std::unique_ptr<SeriesStore>(std::move(*opened));
  }

 private:
  InfluxServer server_;
  test::TemporaryDirectory folder_;
  InfluxConfig config_;
};

}  // namespace

std::vector<StoreKind> store_kinds() {
  return {StoreKind{"Sqlite", [] { return std::make_unique<SqliteBench>(); }},
          StoreKind{"Influx", [] { return std::make_unique<InfluxBench>(); }}};
}

}  // namespace foreflow::store
