// SPDX-License-Identifier: Apache-2.0
// DPDK's environment for benchmarks of the packet path in one process: no huge pages, no devices, no files that another
// process could meet. Place: tests/bench.
#pragma once
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace foreflow::bench {

class PrivateEal {
 public:
  // `more`: arguments of EAL, such as lcores. Throws std::runtime_error where EAL does not start.
  explicit PrivateEal(const std::vector<std::string>& more = {});
  ~PrivateEal();
  PrivateEal(const PrivateEal&) = delete;
  PrivateEal& operator=(const PrivateEal&) = delete;

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace foreflow::bench
