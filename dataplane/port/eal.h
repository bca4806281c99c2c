// SPDX-License-Identifier: Apache-2.0
// The process's EAL, its arguments derived from the configuration.
// Place: dataplane/port. Lcore 0 = control (the calling thread), lcores 1..workers = workers.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "dataplane/config/config.h"

namespace foreflow::port {

class Eal {
 public:
  // Without root: no hugepages, and a private runtime directory below the state directory.
  static Result<Eal> start(const config::Config& config);
  Eal(Eal&& other) noexcept : active_(std::exchange(other.active_, false)) {}
  Eal& operator=(Eal&&) = delete;
  ~Eal();

 private:
  Eal() = default;
  bool active_ = true;
};

// What start() passes to rte_eal_init, the program's name first. Pure.
std::vector<std::string> eal_arguments(const config::Config& config, bool is_root,
                                       const std::vector<std::uint32_t>& cpus);

// The CPUs that the calling thread may run on; the start of the process is the time to ask.
std::vector<std::uint32_t> allowed_cpus();

}  // namespace foreflow::port
