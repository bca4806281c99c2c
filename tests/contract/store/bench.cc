// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store/bench.h"

#include <cstdlib>
#include <stdexcept>

namespace foreflow::store {

PrivateFolder::PrivateFolder() {
  std::string name = std::filesystem::temp_directory_path() / "foreflow-store-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Point sample(const std::string& vm, std::int64_t time, std::int64_t bytes) {
  return Point{Measurement::kVmNet,
               Resolution::kRaw,
               Tags{"host-1", "dpu-1", vm},
               UnixNanos{time},
               {{"share", 0.25}, {"tx_offered_bytes", bytes}}};
}

RangeQuery everything(const std::string& vm, Measurement measurement) {
  return RangeQuery{measurement, Resolution::kRaw, vm, UnixNanos{0}, UnixNanos{4'000'000'000'000'000'000}};
}

}  // namespace foreflow::store
