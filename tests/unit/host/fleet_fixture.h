// SPDX-License-Identifier: Apache-2.0
// A small fleet: dataplane dpu0 with a 1 Gbit/s uplink, VMs `web` (cap 500M) and `db` (guarantee 200M, tier gold).
// Place: tests/unit/host.
#pragma once
#include "host/model/fleet.h"

namespace foreflow {

inline BytesPerSecond megabits(std::uint64_t rate) { return BytesPerSecond{rate * 125'000}; }

inline model::Vm make_vm(const std::string& name, std::uint8_t last_octet, const std::string& tier) {
  model::Vm vm{.name = name, .dataplane = "dpu0"};
  vm.attachments.push_back({"port-" + name, MacAddress{{0x52, 0x54, 0, 0, 0, last_octet}}, Segment{0}});
  vm.policy.tier = tier;
  return vm;
}

inline model::Fleet small_fleet() {
  model::Fleet fleet;
  fleet.tiers = {{"gold", 0, .99}, {"standard", 1, .95}};
  fleet.dataplanes = {{.name = "dpu0", .host = "node1", .uplinks = {{"uplink", {megabits(1000), megabits(1000)}}}}};
  fleet.vms = {make_vm("web", 1, "standard"), make_vm("db", 2, "gold")};
  fleet.vms[0].policy.cap.fill(megabits(500));
  fleet.vms[1].policy.guarantee.fill(megabits(200));
  return fleet;
}

}  // namespace foreflow
