// SPDX-License-Identifier: Apache-2.0
#include "dataplane/profile/sampler.h"

#include <gtest/gtest.h>

namespace foreflow::profile {
namespace {

constexpr std::size_t kOut = index(Direction::kEgress);

void pass(vm::VmState& state, std::uint32_t bytes) {
  auto& egress = state.directions[kOut];
  egress.offered.add(bytes, 1'000'000);
}

TEST(Sampler, TellsWhatCameSinceTheLastSample) {
  vm::VmTable vms;
  Sampler sampler(VmId{1}, vms[0], {});
  pass(vms[0], 100);
  EXPECT_EQ(sampler.sample(vms[0], {}).directions[kOut].passed_bytes, 100u);
  pass(vms[0], 50);
  EXPECT_EQ(sampler.sample(vms[0], {}).directions[kOut].passed_bytes, 50u);
}

TEST(Sampler, WhatIsDroppedOrHeldHasNotPassed) {
  vm::VmTable vms;
  auto& egress = vms[0].directions[kOut];
  Sampler sampler(VmId{1}, vms[0], {});
  for (const std::uint32_t bytes : {100, 200, 400}) pass(vms[0], bytes);
  egress.drops[wire::index(wire::DropCause::kGuestFull)].add(1);
  egress.dropped_bytes.add(100);
  egress.held_packets.add(1);
  egress.held_bytes.add(200);
  egress.app_bytes[index(Category::kWeb)].add(300);
  const auto sample = sampler.sample(vms[0], {}).directions[kOut];
  EXPECT_EQ(sample.offered_packets, 3u);
  EXPECT_EQ(sample.passed_packets, 1u);
  EXPECT_EQ(sample.passed_bytes, 400u);
  EXPECT_EQ(sample.app_bytes[index(Category::kUnknown)], 100u);
}

// The sample was taken between the packet's arrival and its drop.
TEST(Sampler, APacketThatIsDroppedAfterItWasSeenOnItsWayLeavesNoNegativeCount) {
  vm::VmTable vms;
  Sampler sampler(VmId{1}, vms[0], {});
  pass(vms[0], 100);
  EXPECT_EQ(sampler.sample(vms[0], {}).directions[kOut].passed_packets, 1u);
  vms[0].directions[kOut].drops[wire::index(wire::DropCause::kPoliced)].add(1);
  vms[0].directions[kOut].dropped_bytes.add(100);
  EXPECT_EQ(sampler.sample(vms[0], {}).directions[kOut].passed_bytes, 0u);
  pass(vms[0], 70);
  pass(vms[0], 70);
  EXPECT_EQ(sampler.sample(vms[0], {}).directions[kOut].passed_packets, 1u);  // two, and the one that was not
}

TEST(Sampler, DoesNotInheritFromTheFormerVmOfTheSlot) {
  vm::VmTable vms;
  pass(vms[0], 100);
  vms[0].connections_opened.add(5);
  Sampler::AllUnseen lost;
  lost[kOut].handover = {3, 300};
  Sampler sampler(VmId{2}, vms[0], lost);
  const auto sample = sampler.sample(vms[0], lost);
  EXPECT_EQ(sample.directions[kOut].offered_bytes, 0u);
  EXPECT_EQ(sample.directions[kOut].drops[wire::index(wire::DropCause::kHandover)], 0u);
  EXPECT_EQ(sample.directions[kOut].peak_10ms_bytes, 0u);
  EXPECT_EQ(sample.connections_opened, 0u);
}

TEST(Sampler, WhatTheDeviceDroppedWasOfferedAndLimited) {
  vm::VmTable vms;
  Sampler sampler(VmId{1}, vms[0], {});
  pass(vms[0], 100);
  Sampler::AllUnseen unseen;
  unseen[kOut].device = {2, 3000};
  const auto egress = sampler.sample(vms[0], unseen).directions[kOut];
  EXPECT_EQ(egress.offered_packets, 3u);
  EXPECT_EQ(egress.offered_bytes, 3100u);
  EXPECT_EQ(egress.passed_bytes, 100u);
  EXPECT_EQ(egress.drops[wire::index(wire::DropCause::kPoliced)], 2u);
  EXPECT_TRUE(egress.limited);
  EXPECT_FALSE(egress.peak_10ms_bytes);  // the meter has cut it
}

TEST(Sampler, ThePeakIsObservableAgainWhenTheDeviceNoLongerDrops) {
  vm::VmTable vms;
  Sampler sampler(VmId{1}, vms[0], {});
  Sampler::AllUnseen unseen;
  unseen[kOut].device = {2, 3000};
  sampler.sample(vms[0], unseen);
  pass(vms[0], 100);
  const auto egress = sampler.sample(vms[0], unseen).directions[kOut];
  EXPECT_EQ(egress.peak_10ms_bytes, 100u);
  EXPECT_FALSE(egress.limited);
}

}  // namespace
}  // namespace foreflow::profile
