// SPDX-License-Identifier: Apache-2.0
// From a desired state to a snapshot and to intents, and what survives a restart.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/pipeline/resolve.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/state_file.h"
#include "tests/contract/pipeline/frames.h"
#include "tests/contract/pipeline/testbed.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<port::Port> three_ports() {
  return {
      {.id = 0, .name = "uplink", .role = config::PortRole::kUplink}, {.id = 1, .name = "a"}, {.id = 2, .name = "b"}};
}

wire::DesiredState two_vms() {
  wire::DesiredState desired;
  desired.generation = Generation{7};
  desired.vms = {{VmId{1}, "a", {{"a", mac(1), Segment{0}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{0}}}}};
  desired.intents = {
      {IntentId{10}, 0, wire::Demand::kPreferHardware,
       wire::Police{VmId{1}, Direction::kIngress, BytesPerSecond{10}, BytesPerSecond{20}, Bytes{30}, Bytes{40}, 2}}};
  return desired;
}

class Building : public testing::Test {
 protected:
  std::unique_ptr<Snapshot> build(const wire::DesiredState& desired,
                                  const std::vector<offload::SoftwareLimit>& limits = {}) {
    for (const auto& vm : desired.vms) EXPECT_TRUE(slots_.assign(vm.id));
    return build_snapshot({desired, ports_, limits, slots_, 2, nullptr, {}}, problems_);
  }

  std::vector<port::Port> ports_ = three_ports();
  vm::SlotAllocator slots_;
  std::vector<std::string> problems_;
};

TEST_F(Building, AVmIsOwnedByOneWorkerAndFoundByItsAddress) {
  const auto snapshot = build(two_vms());
  const auto* found = snapshot->directory.by_destination(Segment{0}, mac(2));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->port_id, 2);
  EXPECT_EQ(found->owner, owner_of(found->slot, 2));
  EXPECT_EQ(snapshot->vm(found->slot)->id, VmId{2});
  EXPECT_EQ(snapshot->vm(found->slot)->uplink, 0);
  EXPECT_EQ(snapshot->generation, Generation{7});
}

TEST_F(Building, OnlyWhatSoftwareHasToMeterIsMetered) {
  const auto snapshot = build(two_vms(), {{IntentId{10}, VmId{2}, Direction::kEgress, {BytesPerSecond{5}}, 3}});
  EXPECT_TRUE(snapshot->vm(*slots_.find(VmId{2}))->limits[index(Direction::kEgress)]);
  EXPECT_FALSE(snapshot->vm(*slots_.find(VmId{2}))->limits[index(Direction::kIngress)]);
  EXPECT_FALSE(snapshot->vm(*slots_.find(VmId{1}))->limits[index(Direction::kIngress)]);
}

TEST_F(Building, WhatCannotBeDoneIsNamedAndTheRestIsDone) {
  auto desired = two_vms();
  desired.vms[0].attachments = {{"nowhere", mac(5), Segment{0}},
                                {"uplink", mac(6), Segment{0}},
                                {"a", kBroadcast, Segment{0}},
                                {"a", mac(7), Segment{Segment::kVniBase + 5}},
                                {"a", mac(1), Segment{0}}};
  desired.vms[1].attachments.push_back({"a", mac(1), Segment{0}});
  const auto snapshot = build(desired);
  EXPECT_THAT(
      problems_,
      ElementsAre(HasSubstr("no port 'nowhere'"), HasSubstr("'uplink' is an uplink"), HasSubstr("no unicast MAC"),
                  HasSubstr("VNI 5 needs a tunnel, and the uplink has none"), HasSubstr("already used in segment 0")));
  EXPECT_EQ(snapshot->directory.size(), 2u);
}

TEST_F(Building, ASharedPortGetsOneCopyOfABroadcast) {
  auto desired = two_vms();
  desired.vms[1].attachments[0].port = "a";
  const auto snapshot = build(desired);
  EXPECT_THAT(snapshot->flood(Segment{0})->receivers, SizeIs(1));
  EXPECT_EQ(snapshot->ports[1].sole_slot, vm::kNoSlot);
  EXPECT_EQ(snapshot->flood(Segment{1}), nullptr);
}

TEST(ResolveIntents, NamesPortsAndWherePacketsForTheVmComeFrom) {
  const auto ports = three_ports();
  const auto intents = resolve_intents(two_vms(), ports);
  ASSERT_THAT(intents, SizeIs(1));
  const auto& resolved = intents.at(IntentId{10});
  EXPECT_THAT(resolved.attachments, ElementsAre(offload::ResolvedAttachment{1, mac(1), Segment{0}}));
  EXPECT_THAT(resolved.source_ports, ElementsAre(0, 2));
}

TEST(ResolveIntents, PacketsOfOtherSegmentsDoNotComeIn) {
  const auto ports = three_ports();
  auto desired = two_vms();
  desired.vms[1].attachments[0].segment = Segment{5};
  EXPECT_THAT(resolve_intents(desired, ports).at(IntentId{10}).source_ports, ElementsAre(0));
}

TEST(ResolveIntents, AnUnknownVmHasNoAttachments) {
  const auto ports = three_ports();
  auto desired = two_vms();
  desired.vms.clear();
  EXPECT_THAT(resolve_intents(desired, ports).at(IntentId{10}).attachments, IsEmpty());
}

class LastState : public testing::Test {
 protected:
  test::TemporaryDirectory directory_;
  StateFile file_{directory_ / "desired-state"};
};

TEST_F(LastState, ComesBackAsItWas) {
  ASSERT_TRUE(file_.save(two_vms()));
  const auto loaded = file_.load();
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->generation, Generation{7});
  EXPECT_EQ((*loaded)->vms, two_vms().vms);
  EXPECT_EQ((*loaded)->intents, two_vms().intents);
}

TEST_F(LastState, IsNothingBeforeTheFirstSave) {
  const auto loaded = file_.load();
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(*loaded);
}

TEST_F(LastState, IsRefusedWhenAByteHasChanged) {
  ASSERT_TRUE(file_.save(two_vms()));
  {
    std::fstream bytes(directory_ / "desired-state", std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-1, std::ios::end);
    bytes.put('\x7f');
  }
  const auto loaded = file_.load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("checksum does not match"));
}

TEST_F(LastState, AFailedSaveNamesTheFile) {
  const StateFile nowhere(directory_ / "missing" / "desired-state");
  const auto saved = nowhere.save(two_vms());
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, HasSubstr("missing/desired-state"));
}

}  // namespace
}  // namespace foreflow::pipeline
