// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/parsers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  foreflow::fuzz::capture({data, size});
  return 0;
}
