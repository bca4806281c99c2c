// SPDX-License-Identifier: Apache-2.0
// Ports and VMs that come and go while real workers forward what others send.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint8_t kGuest = 9;  // the VM that comes and goes
using Kind = PortChange::Kind;

wire::DesiredState vms(bool with_guest) {
  wire::DesiredState desired;
  desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{0}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{0}}}}};
  if (with_guest) desired.vms.push_back({VmId{kGuest}, "guest", {{"guest", mac(kGuest), Segment{0}}}});
  return desired;
}

std::uint64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") return status >> word, std::stoull(word);
  throw std::runtime_error("no VmRSS");
}

std::size_t ethdevs() {
  std::size_t count = 0;
  std::uint16_t id = 0;
  RTE_ETH_FOREACH_DEV(id)++ count;
  return count;
}

// As many as the figure in docs/BENCHMARKS.md speaks of when it is asked for; a tenth otherwise.
int cycles() {
  const auto* asked = std::getenv("FOREFLOW_CHURN_CYCLES");
  return asked == nullptr ? 100 : std::stoi(asked);
}

class Churn : public testing::TestWithParam<std::uint16_t> {
 protected:
  Churn() : bed_(GetParam(), {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}}) {
    bed_.apply(vms(false));
    bed_.report();
    if (!bed_.engine().launch()) throw std::runtime_error("launch");
  }

  // What goes on all the time: from the uplink to b, from b to the uplink, from a to b. Waits until it has arrived.
  void others_talk() {
    const auto round = ++rounds_;
    const auto text = fmt::format("round {}", round);
    const auto send = [&](const char* port, const MacAddress& from, const MacAddress& to) {
      bed_.put(port, static_cast<std::uint16_t>(round),
               make_frame({.source = from, .destination = to, .payload = text}));
    };
    send("uplink", kGateway, mac(2));
    send("b", mac(2), kGateway);
    send("a", mac(1), mac(2));
    expect_received("b", 2, text);
    expect_received("uplink", 1, text);
  }

  // Waits for this many of the round; frames of the guest's traffic are passed over.
  void expect_received(const char* port, int count, const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (count > 0) {
      for (const auto& frame : bed_.sent(port))
        if (std::memcmp(frame.data() + 42, text.data(), text.size()) == 0) --count;
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error(fmt::format("{}: {} of {} missing", port, count, text));
    }
  }

  // Until the changes are done, others talking meanwhile.
  std::vector<PortChange> change(std::vector<config::PortConfig> wanted) {
    std::vector<PortChange> all;
    bed_.changes().begin(std::move(wanted));
    while (bed_.changes().busy() || bed_.configurator().busy()) {
      others_talk();
      bed_.configurator().finish();
      if (bed_.configurator().busy() || !bed_.changes().busy()) continue;
      for (auto& change : bed_.changes().step()) {
        if (change.kind == Kind::kRemoved) bed_.reporter().leave(change.port);
        all.push_back(std::move(change));
      }
      bed_.reporter().follow();
    }
    return all;
  }
  void apply(const wire::DesiredState& desired) {
    bed_.configurator().begin(desired);
    bed_.reporter().follow();
    while (!bed_.configurator().finish()) others_talk();
  }

  std::vector<config::PortConfig> with(const config::PortConfig& port) const {
    auto wanted = bed_.devices().configs();
    wanted.push_back(port);
    return wanted;
  }
  std::vector<config::PortConfig> without(const std::string& name) const {
    auto wanted = bed_.devices().configs();
    std::erase_if(wanted, [&](const auto& port) { return port.name == name; });
    return wanted;
  }

  Testbed bed_;
  std::uint64_t rounds_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Workers, Churn, testing::Values(1, 3));

TEST_P(Churn, APortBringsItsVmAndTakesItAlong) {
  apply(vms(true));
  EXPECT_EQ(bed_.problems().size(), 1u) << "the guest's port is not there yet";
  const auto added = change(with(bed_.make_port({"guest"})));
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].kind, Kind::kAdded) << added[0].reason;
  EXPECT_TRUE(bed_.problems().empty());

  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(kGuest), .payload = "hello"}));
  expect_received("guest", 1, "hello");
  bed_.put("guest", 0, make_frame({.source = mac(kGuest), .destination = mac(2), .payload = "hello"}));
  expect_received("b", 1, "hello");

  const auto removed = change(without("guest"));
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].kind, Kind::kRemoved);
  EXPECT_EQ(removed[0].reason, "");
  EXPECT_EQ(bed_.devices().find("guest"), nullptr);
  EXPECT_EQ(bed_.problems().size(), 1u);
}

TEST_P(Churn, WhatAPortCountedLastStandsInTheNextReport) {
  change(with(bed_.make_port({"guest"})));
  bed_.report();
  bed_.put("guest", 0, make_frame({.source = mac(kGuest), .destination = mac(2)}));
  for (int i = 0; i < 3; ++i) others_talk();
  change(without("guest"));
  const auto report = bed_.report();
  ASSERT_EQ(report.ports.size(), 4u);
  EXPECT_EQ(report.ports[0].port, "guest");
  EXPECT_EQ(report.ports[0].rx_packets, 1u);
  EXPECT_EQ(bed_.report().ports.size(), 3u);
}

TEST_P(Churn, AnotherMtuMakesAPortLeaveAndComeAgain) {
  const auto ring = bed_.make_port({"guest"});
  change(with(ring));
  auto wanted = bed_.devices().configs();
  wanted.back().mtu = 9000;
  // The device goes with the port, and EAL cannot make this one again: it is the test's.
  const auto changes = change(wanted);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].kind, Kind::kRemoved);
  EXPECT_EQ(changes[1].port.name, "guest");
}

TEST_P(Churn, ADeviceThatDoesNotExistIsToldAndChangesNothing) {
  const auto before = ethdevs();
  const auto changes = change(with({.name = "guest", .device = "net_pcap_none,rx_pcap=/nowhere"}));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, Kind::kFailed);
  EXPECT_NE(changes[0].reason.find("guest (net_pcap_none"), std::string::npos) << changes[0].reason;
  EXPECT_EQ(ethdevs(), before);
  others_talk();
}

// Odd rounds take a device that EAL makes (its packets come back to it, as a guest's that answers all), even ones a
// pair of rings. The guest's traffic is under way when its port is taken.
TEST_P(Churn, PortsAndVmsComeAndGoAndNobodyElseNotices) {
  const auto ports_before = ethdevs();
  const auto slots_before = bed_.configurator().slots().held().size();
  std::uint64_t memory = 0;
  for (int cycle = 0; cycle < cycles(); ++cycle) {
    const bool made_by_eal = cycle % 2 == 1;
    apply(vms(true));
    const auto port =
        made_by_eal ? config::PortConfig{.name = "guest", .device = "net_ring_guest"} : bed_.make_port({"guest"});
    const auto added = change(with(port));
    ASSERT_EQ(added.at(0).kind, Kind::kAdded) << added[0].reason;
    for (int i = 0; i < 40; ++i) {
      bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(kGuest), .size = 200}));
      bed_.put("a", 0, make_frame({.source = mac(1), .destination = mac(kGuest), .size = 200}));
    }
    if (cycle % 3 == 0) others_talk();
    ASSERT_EQ(change(without("guest")).at(0).kind, Kind::kRemoved);
    if (!made_by_eal) bed_.free_rings("guest");
    apply(vms(false));
    if (cycle == 50) memory = resident_kib();
  }
  for (int i = 0; i < 3; ++i) others_talk();  // behind the last of the guest's, through every queue
  bed_.engine().stop();
  for (const auto* port : {"a", "b", "uplink"}) bed_.sent(port);
  const auto report = bed_.report();
  EXPECT_EQ(report.dataplane.rx_packets, report.dataplane.tx_packets + sum(report.dataplane.drops));
  EXPECT_EQ(sample_of(report, VmId{2}).directions[index(Direction::kIngress)].passed_packets, 2 * rounds_);
  EXPECT_EQ(sample_of(report, VmId{2}).directions[index(Direction::kEgress)].passed_packets, rounds_);
  EXPECT_EQ(bed_.in_use(), 0u);
  EXPECT_EQ(ethdevs(), ports_before);
  EXPECT_EQ(bed_.configurator().slots().held().size(), slots_before);
  EXPECT_TRUE(bed_.configurator().slots().draining().empty());
  EXPECT_LT(resident_kib(), memory + 8 * 1024);
}

}  // namespace
}  // namespace foreflow::pipeline
