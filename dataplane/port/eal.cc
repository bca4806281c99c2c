// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/eal.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <unistd.h>

#include "dataplane/port/capture.h"

namespace foreflow::port {
namespace {

bool is_virtual(std::string_view device) {
  return device.starts_with("net_") || device.starts_with("eth_") || device.starts_with("virtio_user");
}

std::string lcore_map(const config::Config& config, const std::vector<std::uint32_t>& cpus) {
  std::string map;
  for (std::uint32_t lcore = 0; lcore <= config.workers; ++lcore) {
    const auto cpu = config.cpus.empty() ? cpus[lcore % cpus.size()] : config.cpus[lcore];
    map += fmt::format("{}{}@{}", lcore == 0 ? "" : ",", lcore, cpu);
  }
  return map;
}

// EAL without root keeps its sockets in XDG_RUNTIME_DIR, or else in a folder of /tmp that belongs to whoever came
// first.
Status make_runtime_directory(const config::Config& config) {
  const auto directory = config.state_dir / "run";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", directory.string(), error.message()));
  setenv("XDG_RUNTIME_DIR", directory.c_str(), 1);
  return {};
}

}  // namespace

std::vector<std::uint32_t> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus.empty() ? std::vector<std::uint32_t>{0} : cpus;
}

std::vector<std::string> eal_arguments(const config::Config& config, bool is_root,
                                       const std::vector<std::uint32_t>& cpus) {
  std::vector<std::string> arguments{"foreflow-dataplane", "--lcores=" + lcore_map(config, cpus), "--main-lcore=0"};
  if (config.eal.hugepages && is_root)
    arguments.insert(arguments.end(), {"--in-memory"});
  else
    arguments.insert(arguments.end(), {"--no-huge", "-m", std::to_string(config.eal.memory_mb)});
  arguments.push_back("--file-prefix=foreflow-" + config.id);
  std::set<std::string> seen;
  bool pci = false;
  for (const auto& port : config.ports) {
    if (!seen.insert(port.device).second) continue;
    pci |= !is_virtual(port.device);
    arguments.insert(arguments.end(), {is_virtual(port.device) ? "--vdev" : "-a", port.device});
  }
  if (!pci) arguments.emplace_back("--no-pci");
  arguments.insert(arguments.end(), config.eal.extra.begin(), config.eal.extra.end());
  return arguments;
}

Result<Eal> Eal::start(const config::Config& config) {
  if (auto captures = inspect_captures(config); !captures) return tl::unexpected(captures.error());
  const bool is_root = geteuid() == 0;
  if (!is_root)
    if (auto made = make_runtime_directory(config); !made) return tl::unexpected(made.error());
  auto arguments = eal_arguments(config, is_root, allowed_cpus());
  std::vector<char*> argv;
  argv.reserve(arguments.size());
  for (auto& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
    return fail(ErrorCode::kUnavailable,
                fmt::format("EAL does not start: {} (arguments: {}); without hugepages set eal.hugepages = false",
                            rte_strerror(rte_errno), fmt::join(arguments, " ")));
  return Eal();
}

Eal::~Eal() {
  if (active_) rte_eal_cleanup();
}

}  // namespace foreflow::port
