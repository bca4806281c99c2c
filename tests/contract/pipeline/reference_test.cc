// SPDX-License-Identifier: Apache-2.0
// Random packets through the real packet path and through a plain reference: every counter has to agree, with one
// worker and with three, with flows followed and without.
#include <random>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>

#include "tests/contract/pipeline/reference_model.h"

namespace foreflow::pipeline {
namespace {

constexpr std::array kPorts{"alone", "small", "shared", "tagged", "uplink"};
constexpr std::array kMacs{mac(1), mac(2), mac(3), mac(4),    mac(5),    mac(6),
                           mac(7), mac(8), mac(9), mac(0xfe), kBroadcast};

std::vector<TestPort> ports() {
  return {{"alone", config::PortRole::kVm, 1500},
          {"small", config::PortRole::kVm, 1000},
          {"shared", config::PortRole::kVm, 1500},
          {"tagged", config::PortRole::kVm, 1500},
          {"uplink", config::PortRole::kUplink, 1400}};
}

constexpr Ipv4Address kHere{{192, 0, 2, 1}}, kStranger{{192, 0, 2, 99}};
const std::vector<Ipv4Address> kThere{{{192, 0, 2, 2}}, {{192, 0, 2, 3}}, {{192, 0, 2, 4}}};

wire::DesiredState six_vms() {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  desired.vms = {{VmId{1}, "a", {{"alone", mac(1), Segment{0}}}},
                 {VmId{2}, "b", {{"small", mac(2), Segment{0}}}, true},
                 {VmId{3}, "c", {{"shared", mac(3), Segment{0}}, {"tagged", mac(6), Segment{200}}}},
                 {VmId{4}, "d", {{"shared", mac(4), Segment{100}}}},
                 {VmId{5}, "e", {{"tagged", mac(5), Segment{100}}, {"shared", mac(7), overlay(5)}}},
                 {VmId{6}, "f", {{"tagged", mac(8), overlay(5)}, {"shared", mac(8), overlay(70'000)}}}};
  desired.uplinks = {
      {"uplink", {kUnlimited, kUnlimited}, wire::TunnelSpec{wire::TunnelKind::kVxlan, kHere, mac(0xf0), 4789, kThere}}};
  const auto limit = [](std::uint64_t id, VmId vm, Direction direction) {
    return wire::Intent{IntentId{id}, 0, wire::Demand::kSoftware,
                        wire::Police{vm, direction, {4'000'000}, {4'000'000}, {9'000}, {9'000}, 1}};
  };
  desired.intents = {limit(1, VmId{1}, Direction::kEgress), limit(2, VmId{5}, Direction::kIngress)};
  return desired;
}

template <typename Array>
auto any_of(const Array& values, std::mt19937_64& random) {
  return values[random() % values.size()];
}

FrameSpec random_spec(std::mt19937_64& random) {
  constexpr std::array<std::uint16_t, 8> kTags{0, 0, 0, 0, 0, 100, 200, 7};
  constexpr std::array<std::uint8_t, 4> kFlags{kSynFlag, kAckFlag, kAckFlag, kRstFlag};
  FrameSpec spec{.source = any_of(kMacs, random), .destination = any_of(kMacs, random)};
  while (spec.source.is_multicast()) spec.source = any_of(kMacs, random);
  spec.vlan = any_of(kTags, random);
  spec.protocol = random() % 2 == 0 ? 6 : 17;
  spec.tcp_flags = any_of(kFlags, random);
  spec.source_host = static_cast<std::uint8_t>(random() % 4);
  spec.destination_host = static_cast<std::uint8_t>(4 + random() % 4);
  spec.source_port = static_cast<std::uint16_t>(1'000 + random() % 2);
  spec.destination_port = static_cast<std::uint16_t>(2'000 + random() % 4);
  spec.size = 60 + random() % 1'460;
  return spec;
}

// At the uplink some frames come through the tunnel, some of these with a fault.
FrameBytes wrap(const FrameBytes& inner, ReferenceModel::Given& given, std::mt19937_64& random) {
  constexpr std::array<std::uint32_t, 4> kVnis{5, 5, 70'000, 6};
  given.vni = any_of(kVnis, random);
  given.from_stranger = random() % 20 == 0;
  given.from = given.from_stranger ? kStranger : any_of(kThere, random);
  auto frame =
      make_overlay({wire::TunnelKind::kVxlan, given.from, mac(0xf0), mac(0xf1), 4789}, kHere, *given.vni, inner);
  if (random() % 50 == 0) {
    given.malformed = true;
    frame[42] = 0;  // no VNI
  }
  return frame;
}

// Workers, and flows that each can follow.
class Reference : public testing::TestWithParam<std::tuple<std::uint16_t, std::uint32_t>> {};
INSTANTIATE_TEST_SUITE_P(OneAndThreeWorkers, Reference,
                         testing::Combine(testing::Values(1, 3), testing::Values(0, Testbed::kFlows)));

// A batch comes from one queue of one port, so that the order in which a VM's packets are seen is known.
TEST_P(Reference, EveryCounterAgreesOnRandomPackets) {
  std::mt19937_64 random(7);
  const auto [workers, flows] = GetParam();
  Testbed bed(workers, ports(), {}, nullptr, {}, flows);
  bed.apply(six_vms());
  bed.report();
  ReferenceModel model(ports(), six_vms(), workers);
  std::uint64_t now_ns = 2 * Testbed::kSecond;
  for (int batch = 0; batch < 1'500; ++batch) {
    now_ns += random() % 2'000'000;
    const std::string port = any_of(kPorts, random);
    const auto queue = static_cast<std::uint16_t>(random());
    for (auto left = 1 + random() % 80; left > 0; --left) {
      const auto spec = random_spec(random);
      auto frame = make_frame(spec);
      const bool malformed = random() % 50 == 0;
      if (malformed) frame.resize(30);
      ReferenceModel::Given given{spec, frame.size(), malformed};
      if (port == "uplink" && random() % 2 == 0) {
        given.inner_malformed = std::exchange(given.malformed, false);
        frame = wrap(frame, given, random);
        given.size = frame.size();
      }
      bed.put(port, queue, frame, random() % 8 == 0 ? 20 + random() % 300 : Testbed::kWhole);
      model.receive(port, given, now_ns);
    }
    bed.run_at(now_ns);
    for (const auto* name : kPorts) bed.sent(name);
  }
  const auto expected = [&, follows = flows != 0](VmId vm) {
    auto sample = model.expected(vm);
    if (!follows)
      sample.connections_opened = sample.connections_active = sample.connections_closed = sample.connections_failed = 0;
    return sample;
  };
  const auto report = bed.report();
  EXPECT_EQ(report.dataplane, model.expected());
  for (const auto& port : report.ports) EXPECT_EQ(port, model.expected(port.port)) << port.port;
  for (std::uint32_t id = 1; id <= 6; ++id) EXPECT_EQ(sample_of(report, VmId{id}), expected(VmId{id})) << id;
  EXPECT_EQ(bed.in_use(), 0u);

  std::uint64_t vm_ports = 0;
  std::uint64_t unattributed = 0;
  std::uint64_t offered = 0;
  for (const auto& port : report.ports) {
    if (port.port != "uplink") vm_ports += port.rx_packets;
    unattributed += port.unattributed_packets;
  }
  for (const auto& vm : report.vms) offered += vm.directions[index(Direction::kEgress)].offered_packets;
  EXPECT_EQ(offered + unattributed, vm_ports);
  EXPECT_EQ(report.dataplane.rx_packets + report.dataplane.flood_copies,
            report.dataplane.tx_packets + sum(report.dataplane.drops));
}

}  // namespace
}  // namespace foreflow::pipeline
