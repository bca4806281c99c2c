// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/eal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::port {
namespace {

using ::testing::Contains;
using ::testing::Not;

config::Config with_ports(std::vector<std::string> devices) {
  config::Config config;
  config.id = "dpu1";
  for (auto& device : devices) config.ports.push_back({.name = "p", .device = device});
  return config;
}

TEST(EalArguments, ThreadsShareTheCpusThatThereAre) {
  auto config = with_ports({"net_ring0"});
  config.workers = 3;
  EXPECT_THAT(eal_arguments(config, true, {4, 5}), Contains("--lcores=0@4,1@5,2@4,3@5"));
}

TEST(EalArguments, ConfiguredCpusWin) {
  auto config = with_ports({"net_ring0"});
  config.cpus = {7, 9};
  EXPECT_THAT(eal_arguments(config, true, {0}), Contains("--lcores=0@7,1@9"));
}

TEST(EalArguments, WithoutRootThereAreNoHugepages) {
  EXPECT_THAT(eal_arguments(with_ports({"net_ring0"}), false, {0}), Contains("--no-huge"));
  EXPECT_THAT(eal_arguments(with_ports({"net_ring0"}), true, {0}), Contains("--in-memory"));
}

// EAL refuses the two together: without hugepages its memory is the legacy kind.
TEST(EalArguments, NoHugeNeverMeetsInMemory) {
  auto config = with_ports({"net_ring0"});
  config.eal.hugepages = false;
  const auto arguments = eal_arguments(config, true, {0});
  EXPECT_THAT(arguments, Contains("--no-huge"));
  EXPECT_THAT(arguments, Not(Contains("--in-memory")));
}

TEST(EalArguments, ADeviceWithSeveralPortsIsNamedOnce) {
  const auto arguments =
      eal_arguments(with_ports({"0000:03:00.0,dv_flow_en=1", "0000:03:00.0,dv_flow_en=1"}), true, {0});
  EXPECT_EQ(std::count(arguments.begin(), arguments.end(), "0000:03:00.0,dv_flow_en=1"), 1);
  EXPECT_THAT(arguments, Contains("-a"));
  EXPECT_THAT(arguments, Not(Contains("--no-pci")));
}

TEST(EalArguments, VirtualDevicesNeedNoPciBus) {
  const auto arguments = eal_arguments(with_ports({"net_af_packet0,iface=veth0"}), true, {0});
  EXPECT_THAT(arguments, Contains("--vdev"));
  EXPECT_THAT(arguments, Contains("--no-pci"));
}

}  // namespace
}  // namespace foreflow::port
