// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint16_t kUplink = 0;
constexpr std::uint16_t kPortA = 1;
constexpr std::uint16_t kPortB = 2;

std::vector<port::Port> three_ports() {
  std::vector<port::Port> ports(3);
  ports[0] = {.id = kUplink, .name = "uplink", .role = config::PortRole::kUplink};
  ports[1] = {.id = kPortA, .name = "a"};
  ports[2] = {.id = kPortB, .name = "b"};
  return ports;
}

wire::VmSpec vm(std::uint32_t id, const std::string& port, Segment segment = {}) {
  const MacAddress mac{{0x52, 0x54, 0, 0, 0, static_cast<std::uint8_t>(id)}};
  return {.id = VmId{id}, .name = "vm" + std::to_string(id), .attachments = {{port, mac, segment}}};
}

offload::ResolvedIntent resolved_for(wire::DesiredState desired, std::uint32_t id) {
  desired.intents = {{.id = IntentId{1}, .what = wire::Police{.vm = VmId{id}}}};
  return resolve_intents(desired, three_ports()).at(IntentId{1});
}

TEST(ResolveIntents, TrafficForAVmEntersByUplinkAndByTheOtherPortsOfItsSegment) {
  EXPECT_THAT(resolved_for({.vms = {vm(1, "a"), vm(2, "b")}}, 1).source_ports, ElementsAre(kUplink, kPortB));
}

TEST(ResolveIntents, PortsOfOtherSegmentsAreNoSources) {
  EXPECT_THAT(resolved_for({.vms = {vm(1, "a"), vm(2, "b", Segment{7})}}, 1).source_ports, ElementsAre(kUplink));
}

TEST(ResolveIntents, ASharedPortIsASourceForItsOwnVms) {
  EXPECT_THAT(resolved_for({.vms = {vm(1, "a"), vm(2, "a")}}, 1).source_ports, ElementsAre(kUplink, kPortA));
}

TEST(ResolveIntents, APortSharedByAnotherSegmentIsNoSource) {
  EXPECT_THAT(resolved_for({.vms = {vm(1, "a"), vm(2, "a", Segment{7})}}, 1).source_ports, ElementsAre(kUplink));
}

TEST(ResolveIntents, AVmThatMaySendAnySourceMacIsMarked) {
  auto open = vm(1, "a");
  open.allow_foreign_mac = true;
  EXPECT_TRUE(resolved_for({.vms = {open}}, 1).allow_foreign_mac);
  EXPECT_FALSE(resolved_for({.vms = {vm(1, "a")}}, 1).allow_foreign_mac);
}

TEST(ResolveIntents, AnUnknownVmOrPortResolvesToNothing) {
  EXPECT_THAT(resolved_for({.vms = {vm(1, "a")}}, 9).attachments, IsEmpty());
  EXPECT_THAT(resolved_for({.vms = {vm(1, "nowhere")}}, 1).attachments, IsEmpty());
}

}  // namespace
}  // namespace foreflow::pipeline
