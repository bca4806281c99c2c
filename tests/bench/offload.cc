// SPDX-License-Identifier: Apache-2.0
// What a desired state costs in the control thread: 10,000 police intents applied to an empty device, 1,000 of their
// rates changed, and everything read back; through RteFlowBackend on the emulated eSwitch without delays, whose own
// time is part of it (a device's would be, too).
//
// The fleet: 5,000 VMs with two intents each on 31 VM ports and one uplink, ten VMs to a tenant's VLAN, which reaches
// over two ports; so packets for a VM can enter through three ports or two.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/bench/figures.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::offload {
namespace {

constexpr std::uint16_t kPorts = 32;  // 0 is the uplink
constexpr std::uint32_t kVms = 5'000;
constexpr std::uint32_t kVmsPerTenant = 10;
constexpr std::size_t kUpdates = 1'000;
constexpr std::size_t kRounds = 7;

MacAddress mac_of(std::uint32_t vm) {
  return {{0x52, 0x54, 0, 0, static_cast<std::uint8_t>(vm >> 8), static_cast<std::uint8_t>(vm)}};
}

ResolvedIntent limit_of(std::uint32_t vm, Direction direction, BytesPerSecond rate) {
  const auto tenant = vm / kVmsPerTenant;
  const auto port = [&](std::uint32_t n) { return static_cast<std::uint16_t>(1 + (tenant + n) % (kPorts - 1)); };
  ResolvedIntent resolved;
  resolved.intent.id = IntentId{2ull * vm + (direction == Direction::kIngress ? 1 : 0)};
  resolved.intent.what = wire::Police{
      .vm = {vm}, .direction = direction, .cir = rate, .pir = rate, .cbs = Bytes{64'000}, .pbs = Bytes{64'000}};
  resolved.attachments = {{.port_id = port(vm % 2), .mac = mac_of(vm), .segment = Segment{1 + tenant}}};
  resolved.source_ports = {0, port(0), port(1)};
  return resolved;
}

IntentDelta whole_fleet() {
  IntentDelta delta;
  for (std::uint32_t vm = 0; vm < kVms; ++vm)
    for (const auto direction : {Direction::kEgress, Direction::kIngress})
      delta.set.push_back(limit_of(vm, direction, BytesPerSecond{12'500'000 + 1'000ull * vm}));
  return delta;
}

// Every fifth VM's egress limit, each to a rate that it has not.
IntentDelta new_rates(std::size_t round) {
  IntentDelta delta;
  for (std::uint32_t i = 0; i < kUpdates; ++i)
    delta.set.push_back(limit_of(5 * i, Direction::kEgress, BytesPerSecond{20'000'000 + 250'000 * (round + 1)}));
  return delta;
}

std::vector<std::uint16_t> all_ports() {
  std::vector<std::uint16_t> ports(kPorts);
  std::iota(ports.begin(), ports.end(), std::uint16_t{0});
  return ports;
}

// False, with the first reason on standard error, when anything ended elsewhere than in the device.
bool installed(RteFlowBackend& backend, const IntentDelta& delta) {
  for (const auto& result : backend.apply(delta)) {
    if (result.placement == wire::Placement::kHardware) continue;
    fmt::print(stderr, "bench: intent {} is not in the device: {}\n", result.id.value, result.reason);
    return false;
  }
  return true;
}

bool start_eal() {
  std::vector<std::string> words{"bench", "--no-huge", "--no-pci", "--no-telemetry", "-m", "96", "--log-level=error"};
  for (int port = 0; port < kPorts; ++port) words.emplace_back(fmt::format("--vdev=net_ring{}", port));
  std::vector<char*> argv(words.size());
  std::ranges::transform(words, argv.begin(), [](std::string& word) { return word.data(); });
  return rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0;
}

struct Samples {
  std::vector<double> apply, update, read;  // ms
  std::size_t rules = 0;
};

bool run(Samples& samples) {
  const auto fleet = whole_fleet();
  for (std::size_t round = 0; round < kRounds; ++round) {
    emulated::reset({.meters = 2 * kVms + 1});
    RteFlowBackend backend;
    backend.probe(all_ports());
    bool whole = true;
    const auto rates = new_rates(round);
    samples.apply.push_back(bench::cpu_ms([&] { whole = installed(backend, fleet); }));
    if (!whole) return false;
    samples.rules = emulated::usage().rules;
    samples.update.push_back(bench::cpu_ms([&] { whole = installed(backend, rates); }));
    if (!whole) return false;
    samples.read.push_back(bench::cpu_ms([&] { whole = backend.read_stats().size() == fleet.set.size(); }));
    if (!whole) return false;
  }
  return true;
}

}  // namespace
}  // namespace foreflow::offload

int main(int argc, char** argv) {
  using namespace foreflow;
  const test::TemporaryDirectory directory;
  setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1);
  offload::Samples samples;
  if (!offload::start_eal() || !offload::run(samples)) return 2;
  fmt::print("{} intents are {} rules in the device\n", 2 * offload::kVms, samples.rules);
  const auto figure = [](const char* name, const std::vector<double>& rounds, double bar_ms) {
    const auto timing = bench::summarise(rounds);
    return bench::Figure{name, timing.median, "ms", "fixed", bar_ms, 1.0, timing.spread};
  };
  const int status = bench::report(
      argc, argv,
      {figure("apply 10,000 intents", samples.apply, 200), figure("change 1,000 rates", samples.update, 10),
       figure("read 10,000 intents' counters", samples.read, 100)});
  rte_eal_cleanup();
  return status;
}
