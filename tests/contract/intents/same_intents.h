// SPDX-License-Identifier: Apache-2.0
// What the two differential tests share: VMs behind an uplink, their treatments, a fresh emulated device on a clock
// that moves by hand, and the same desired state once for the device and once for the pipeline.
#pragma once
#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {

inline constexpr std::uint8_t kVms = 4;
inline constexpr std::uint8_t kWorld = 99;
inline constexpr std::uint32_t kGroups = 2;  // isolated ones of transmit queues, of each port
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline const std::vector<std::string> kPorts{"uplink", "vm1", "vm2", "vm3", "vm4", "probe"};

inline std::atomic<std::uint64_t> now_ns{Testbed::kSecond};

// FOREFLOW_DIFFERENTIAL_PACKETS=N sets how many packets (scripts/bench differential: a million).
inline std::uint64_t packet_count() {
  const char* text = std::getenv("FOREFLOW_DIFFERENTIAL_PACKETS");
  return text == nullptr ? 100'000 : std::strtoull(text, nullptr, 10);
}

inline std::vector<TestPort> all_ports() {
  std::vector<TestPort> ports;
  ports.reserve(kPorts.size());
  for (const auto& name : kPorts)
    ports.push_back({name, name == "uplink" ? config::PortRole::kUplink : config::PortRole::kVm, 1500, kGroups});
  return ports;
}

// Of a VM: what drops, marks, copies, steers and ages, part of it by several matches.
inline std::vector<wire::Treatment> treatments(VmId vm, Direction direction, bool queues = false) {
  const auto of = [&](wire::TrafficMatch match) {
    return wire::Treatment{.vm = vm, .direction = direction, .match = match};
  };
  auto dns = of({.ip_protocol = kUdp, .remote_port = 53});
  dns.drop = true;
  auto web = of({.ip_protocol = kTcp, .local_port = 80});
  web.dscp = 34;
  auto copied = of({.ip_protocol = kUdp, .local_port = 5'000});
  copied.mirror = wire::Mirror{"probe"};
  auto banned = of({.remote = Ipv4Address{{10, 0, 0, 8}}, .remote_prefix = 30});
  banned.drop = true;
  auto bulk = of({.ip_protocol = kTcp});
  bulk.dscp = 8;
  bulk.mirror = wire::Mirror{"probe"};
  auto isolated = of({.ip_protocol = kUdp, .local_port = 6'000});
  isolated.queue_group = direction == Direction::kEgress ? 1 : 2;
  auto away = of({.ip_protocol = kUdp, .local_port = 7'000});
  if (direction == Direction::kEgress) away.steer_port = "probe";
  away.dscp = 10;
  auto classed = of({.ip_protocol = kUdp, .local_port = 443});
  if (queues && direction == Direction::kEgress) classed.queue = 1;
  auto rest = of({});
  rest.idle_seconds = 3'600;
  return {dns, web, copied, banned, bulk, isolated, away, classed, rest};
}

// What the device achieved, for the pipeline.
inline wire::DesiredState for_software(wire::DesiredState desired, const wire::Applied& applied) {
  for (std::size_t i = 0; i < desired.intents.size(); ++i) {
    auto& intent = desired.intents[i];
    intent.demand = wire::Demand::kSoftware;
    if (auto* police = std::get_if<wire::Police>(&intent.what)) {
      police->cir = applied.results[i].achieved_cir;
      police->pir = applied.results[i].achieved_pir;
    }
  }
  return desired;
}

struct FreshDevice {
  FreshDevice() {
    offload::emulated::reset({});
    now_ns = Testbed::kSecond;
    offload::emulated::set_clock([] { return now_ns.load(); });
  }
  ~FreshDevice() { offload::emulated::reset({}); }
  FreshDevice(const FreshDevice&) = delete;
  FreshDevice& operator=(const FreshDevice&) = delete;
};

}  // namespace foreflow::pipeline
