// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/flow_table_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  foreflow::fuzz::flow_table({data, size});
  return 0;
}
