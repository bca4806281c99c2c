// SPDX-License-Identifier: Apache-2.0
// Read-back: what a meter passes beside what was decided.
#include "host/fabric/meter_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::fabric {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const wire::Police kLimit{.vm = VmId{1},
                          .direction = Direction::kEgress,
                          .cir = megabits(20),
                          .pir = megabits(50),
                          .cbs = Bytes{125'000},
                          .pbs = Bytes{5'000'000}};

wire::Report second(BytesPerSecond passed, std::uint64_t policed) {
  wire::Report report{.interval_ns = kNanosPerSecond};
  report.vms.push_back({.vm = VmId{1}});
  report.vms[0].directions[0].passed_bytes = passed.value;
  report.vms[0].directions[0].drops[index(wire::DropCause::kPoliced)] = policed;
  return report;
}

// All deviations in so many seconds.
std::vector<Deviation> seconds(MeterWatch& watch, int count, BytesPerSecond passed, std::uint64_t policed,
                               const wire::Police& limit = kLimit) {
  std::vector<Deviation> all;
  for (int i = 0; i < count; ++i)
    for (auto& found : watch.observe({limit}, second(passed, policed))) all.push_back(std::move(found));
  return all;
}

TEST(MeterWatch, AMeterThatPassesItsPeakAndItsBurstIsFine) {
  MeterWatch watch;
  EXPECT_THAT(seconds(watch, 20, megabits(52), 3), IsEmpty());
  EXPECT_THAT(seconds(watch, 20, megabits(60), 3), IsEmpty()) << "5 MB of burst in 5 s";
}

TEST(MeterWatch, PassingMoreIsToldOnceUntilItIsOver) {
  MeterWatch watch;
  const auto found = seconds(watch, 20, megabits(64), 3);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].text, HasSubstr("passed 64.0 Mbit/s in 5 s, decided were at most 50.0 Mbit/s"));
  EXPECT_THAT(seconds(watch, 1, megabits(10), 0), IsEmpty());
  EXPECT_THAT(seconds(watch, 5, megabits(64), 3), SizeIs(1));
}

TEST(MeterWatch, DroppingBelowTheCommittedRateIsADeviation) {
  MeterWatch watch;
  EXPECT_THAT(seconds(watch, 5, megabits(18), 1), SizeIs(1));
  auto in_packets = kLimit;
  in_packets.packets_per_second = 1'000;
  EXPECT_THAT(seconds(watch, 10, megabits(18), 1, in_packets), IsEmpty());
}

TEST(MeterWatch, ItTakesFiveReportsInARowUnderOneLimit) {
  MeterWatch watch;
  EXPECT_THAT(seconds(watch, 4, megabits(64), 3), IsEmpty());
  auto changed = kLimit;
  changed.cir = megabits(21);
  EXPECT_THAT(seconds(watch, 4, megabits(64), 3, changed), IsEmpty());
  EXPECT_THAT(seconds(watch, 1, megabits(64), 0, changed), IsEmpty());
  EXPECT_THAT(seconds(watch, 4, megabits(64), 3, changed), IsEmpty());
}

}  // namespace
}  // namespace foreflow::fabric
