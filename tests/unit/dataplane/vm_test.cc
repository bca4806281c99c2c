// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataplane/vm/directory.h"
#include "dataplane/vm/slots.h"

namespace foreflow::vm {
namespace {

MacAddress mac(std::uint32_t number) {
  return {{0x52, 0x54, 0, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
           static_cast<std::uint8_t>(number)}};
}

TEST(Directory, FindsEveryAttachmentOfAFullDataplane) {
  std::vector<Attachment> attachments;
  for (std::uint32_t i = 0; i < kMostVms; ++i)
    attachments.push_back({mac(i), Segment{i % 7}, static_cast<std::uint16_t>(i % 31), static_cast<Slot>(i), 0, 0});
  const auto directory = Directory::build(attachments);
  ASSERT_TRUE(directory);
  for (const auto& attachment : attachments) {
    const auto* to = directory->by_destination(attachment.segment, attachment.mac);
    ASSERT_NE(to, nullptr);
    EXPECT_EQ(to->slot, attachment.slot);
    const auto* from = directory->by_source(attachment.port_id, attachment.mac);
    ASSERT_NE(from, nullptr);
    EXPECT_EQ(from->slot, attachment.slot);
  }
}

TEST(Directory, TheSameMacInTwoSegmentsIsTwoVms) {
  const auto directory = Directory::build({{mac(1), Segment{10}, 1, 5, 0, 0}, {mac(1), Segment{20}, 2, 6, 0, 0}});
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->by_destination(Segment{10}, mac(1))->slot, 5);
  EXPECT_EQ(directory->by_destination(Segment{20}, mac(1))->slot, 6);
  EXPECT_EQ(directory->by_destination(Segment{0}, mac(1)), nullptr);
  EXPECT_EQ(directory->by_source(3, mac(1)), nullptr);
}

TEST(Directory, RefusesAMacThatBelongsToTwoVmsOfASegment) {
  const auto directory = Directory::build({{mac(1), Segment{10}, 1, 5, 0, 0}, {mac(1), Segment{10}, 2, 6, 0, 0}});
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().message.find("52:54:00:00:00:01"), std::string::npos);
}

TEST(Directory, AnEmptyOneKnowsNobody) {
  EXPECT_EQ(Directory().by_destination(Segment{0}, mac(1)), nullptr);
  EXPECT_EQ(Directory::build({})->by_source(0, mac(1)), nullptr);
}

TEST(SlotAllocator, AVmKeepsItsSlot) {
  SlotAllocator slots;
  const auto first = *slots.assign(VmId{7});
  slots.assign(VmId{8});
  EXPECT_EQ(*slots.assign(VmId{7}), first);
}

TEST(SlotAllocator, ASlotIsReusedOnlyAfterItsRelease) {
  SlotAllocator slots(1);
  const auto slot = *slots.assign(VmId{1});
  slots.retire(VmId{1});
  EXPECT_EQ(slots.assign(VmId{2}).error().code, ErrorCode::kExhausted);
  slots.release({slot});
  EXPECT_EQ(*slots.assign(VmId{2}), slot);
}

TEST(SlotAllocator, AVmThatComesBackWhileItsSlotDrainsKeepsIt) {
  SlotAllocator slots;
  const auto slot = *slots.assign(VmId{1});
  slots.retire(VmId{1});
  EXPECT_EQ(*slots.assign(VmId{1}), slot);
  slots.release({slot});  // of a grace period that began before
  EXPECT_NE(*slots.assign(VmId{2}), slot);
}

TEST(Offered, ThePeaksAreTheLargestWindowsSinceTheLastQuestion) {
  Offered offered;
  offered.add(100, 1'000'000);
  offered.add(50, 1'999'999);
  offered.add(60, 9'000'000);
  offered.add(120, 10'000'000);
  EXPECT_EQ(offered.take_peak_1ms(), 150u);
  EXPECT_EQ(offered.take_peak_10ms(), 210u);
  offered.add(30, 20'000'000);
  EXPECT_EQ(offered.take_peak_1ms(), 30u);
  EXPECT_EQ(offered.take_peak_10ms(), 30u);
  EXPECT_EQ(offered.bytes(), 360u);
}

TEST(Offered, ThePeaksAreZeroWhenNothingArrived) {
  Offered offered;
  EXPECT_EQ(offered.take_peak_1ms(), 0u);
  offered.add(100, 1'000'000);
  offered.take_peak_1ms();
  EXPECT_EQ(offered.take_peak_1ms(), 0u);
}

TEST(Offered, AWindowThatGoesOnAfterTheQuestionCountsWhole) {
  Offered offered;
  offered.add(100, 1'000'000);
  EXPECT_EQ(offered.take_peak_1ms(), 100u);
  offered.add(50, 1'500'000);
  offered.add(10, 2'000'000);
  EXPECT_EQ(offered.take_peak_1ms(), 150u);
}

}  // namespace
}  // namespace foreflow::vm
