// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/private_eal.h"

#include <cstdlib>
#include <stdexcept>

#include <rte_eal.h>

namespace foreflow::bench {

PrivateEal::PrivateEal(const std::vector<std::string>& more) {
  setenv("XDG_RUNTIME_DIR", directory_.path().c_str(), 1);
  std::vector<std::string> words{"bench",       "--no-huge", "--no-pci", "--no-telemetry",
                                 "--no-shconf", "-m",        "160",      "--log-level=error"};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  arguments.reserve(words.size());
  for (auto& word : words) arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0)
    throw std::runtime_error("EAL does not start");
}

PrivateEal::~PrivateEal() { rte_eal_cleanup(); }

}  // namespace foreflow::bench
