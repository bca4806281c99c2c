// SPDX-License-Identifier: Apache-2.0
// Starts EAL once for all tests: three workers share two CPUs, since correctness must not depend on having enough.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <unistd.h>

#include "dataplane/port/eal.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto cpus = foreflow::port::allowed_cpus();
  const auto first = cpus.front();
  const auto second = cpus.back();
  std::vector<std::string> arguments{"pipeline_tests",
                                     fmt::format("--lcores=0@{0},1@{0},2@{1},3@{1}", first, second),
                                     "--main-lcore=0",
                                     "--no-huge",
                                     "-m",
                                     "256",
                                     "--no-pci",
                                     "--no-shconf",
                                     "--log-level=warning",
                                     fmt::format("--file-prefix=foreflow-test-{}", getpid())};
  std::vector<char*> raw;
  for (auto& argument : arguments) raw.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(raw.size()), raw.data()) < 0) {
    fmt::print(stderr, "EAL does not start\n");
    return 1;
  }
  const int result = RUN_ALL_TESTS();
  rte_eal_cleanup();
  return result;
}
