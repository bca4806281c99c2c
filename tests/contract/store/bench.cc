// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store/bench.h"

namespace foreflow::store {

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
