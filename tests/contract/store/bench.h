// SPDX-License-Identifier: Apache-2.0
// Where a contract test gets its store from.
#pragma once
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "host/store/series_store.h"

namespace foreflow::store {

class StoreBench {
 public:
  virtual ~StoreBench() = default;
  // The store over the same data each time.
  virtual Result<std::unique_ptr<SeriesStore>> open() = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreBench>()> make;
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

// The sample that most tests append: a VM's point with a field of each type.
Point sample(const std::string& vm, std::int64_t time, std::int64_t bytes = 1'500);
RangeQuery everything(const std::string& vm, Measurement measurement = Measurement::kVmNet);

}  // namespace foreflow::store
