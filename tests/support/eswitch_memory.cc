// SPDX-License-Identifier: Apache-2.0
// Prints what an emulated eSwitch holds, read from its memory from outside the process that owns it.
#include <cstdio>

#include <fmt/core.h>

#include "dataplane/offload/emulated/device_memory.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: eswitch_memory FILE\n");
    return 2;
  }
  const auto found = foreflow::offload::emulated::DeviceMemory::inspect(argv[1]);
  if (!found) {
    fmt::print(stderr, "eswitch_memory: {}\n", found.error().message);
    return 1;
  }
  fmt::print(R"({{"rules": {}, "meters": {}, "strays": {}, "committed": {}, "rule_writes": {}, "written_ns": {}}})"
             "\n",
             found->usage.rules, found->usage.meters, found->strays, found->committed, found->rule_writes,
             found->written.value);
  return 0;
}
