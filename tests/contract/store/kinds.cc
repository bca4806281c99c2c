// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store/kinds.h"

#include "host/store/sqlite_store.h"

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
  PrivateFolder folder_;
};

}  // namespace

std::vector<StoreKind> store_kinds() {
  return {StoreKind{"Sqlite", [] { return std::make_unique<SqliteBench>(); }}};
}

}  // namespace foreflow::store
