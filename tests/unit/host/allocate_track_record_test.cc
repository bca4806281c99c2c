// SPDX-License-Identifier: Apache-2.0
// A forecast that is exceeded too often is not believed for a while.
#include <gtest/gtest.h>

#include "host/allocate/track_record.h"

namespace foreflow::allocate {
namespace {

constexpr double kQuantile = .95;

void pass(TrackRecord& record, std::size_t intervals, std::uint64_t forecast, std::uint64_t came) {
  for (std::size_t i = 0; i < intervals; ++i) record.observe({forecast}, {came}, kQuantile);
}

TEST(TrackRecord, BelievesAForecastThatIsExceededAsOftenAsItSays) {
  TrackRecord record;
  for (int day = 0; day < 20; ++day) {
    pass(record, 19, 100, 50);
    pass(record, 1, 100, 150);
    EXPECT_FALSE(record.instead());
  }
}

TEST(TrackRecord, DoubtsAForecastThatIsExceededThreeTimesInAnHour) {
  TrackRecord record;
  pass(record, 2, 300, 1'000);
  EXPECT_FALSE(record.instead());
  pass(record, 1, 300, 900);
  ASSERT_TRUE(record.instead());
  EXPECT_EQ(record.instead()->value, 1'200u);
  EXPECT_EQ(record.exceeded(), 3u);
}

TEST(TrackRecord, BelievesAgainAfterAnHourWithoutTooMany) {
  TrackRecord record;
  pass(record, 3, 300, 1'000);
  // Three of twelve for ten more intervals, then an hour.
  pass(record, 9 + TrackRecord::kJudged - 1, 300, 200);
  EXPECT_TRUE(record.instead());
  pass(record, 1, 300, 200);
  EXPECT_FALSE(record.instead());
}

TEST(TrackRecord, AsksMoreOfHigherQuantiles) {
  EXPECT_EQ(TrackRecord::too_many(.99), 2u);
  EXPECT_EQ(TrackRecord::too_many(.95), 3u);
  EXPECT_EQ(TrackRecord::too_many(.9), 4u);
  EXPECT_EQ(TrackRecord::too_many(.5), TrackRecord::kJudged);
}

TEST(TrackRecord, IgnoresWhatIsHardlyAbove) {
  TrackRecord record;
  pass(record, TrackRecord::kJudged, 1'000, 1'050);
  EXPECT_FALSE(record.instead());
}

TEST(TrackRecord, StaysWithinWhatARateCanBe) {
  TrackRecord record;
  pass(record, 3, 1, kUnlimited.value);
  EXPECT_EQ(*record.instead(), kUnlimited);
}

}  // namespace
}  // namespace foreflow::allocate
