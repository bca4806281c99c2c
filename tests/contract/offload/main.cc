// SPDX-License-Identifier: Apache-2.0
// Starts EAL once, without hugepages, PCI or root, with four ports that receive what is sent on them.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rte_eal.h>

namespace {

// EAL keeps its sockets here; a private one, so that runs of other users do not stand in the way.
std::string private_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "foreflow-offload-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) return {};
  return path;
}

int start_eal() {
  std::vector<std::string> words{
      "offload_tests",    "--no-huge",        "--no-pci",         "--no-telemetry",   "-m", "96", "--vdev=net_ring0",
      "--vdev=net_ring1", "--vdev=net_ring2", "--vdev=net_ring3", "--log-level=error"};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  return rte_eal_init(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const auto directory = private_directory();
  if (directory.empty()) {
    std::cerr << "cannot make a private directory below " << std::filesystem::temp_directory_path() << '\n';
    return 1;
  }
  setenv("XDG_RUNTIME_DIR", directory.c_str(), 1);
  if (start_eal() < 0) {
    std::cerr << "EAL does not start\n";
    return 1;
  }
  const int failed = RUN_ALL_TESTS();
  rte_eal_cleanup();
  std::filesystem::remove_all(directory);
  return failed;
}
