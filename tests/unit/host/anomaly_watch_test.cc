// SPDX-License-Identifier: Apache-2.0
// Anomalies of a VM's demand as operators hear of them.
#include "host/app/anomaly_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/manager_loop.h"

namespace foreflow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kDay = 288;
constexpr std::uint64_t kInterval = 300 * kNanosPerSecond;

class AnomalyWatchTest : public ::testing::Test {
 protected:
  // An interval of `rate` passes.
  void interval(BytesPerSecond rate) {
    loop_.clock.advance(std::chrono::nanoseconds(kInterval));
    forecasts_.observe(loop_.id("web"), Direction::kEgress, loop_.clock.now(), kNanosPerSecond, rate.value, false);
  }
  // The demand of an ordinary hour: about 80 Mbit/s, never twice the same.
  void ordinary(std::size_t intervals) {
    for (std::size_t i = 0; i < intervals; ++i) interval(megabits(75 + (7 * ++ordinal_ % 11)));
  }
  std::deque<wire::Event> events() { return loop_.live.dataplane("dpu0").events; }

  ManagerLoop loop_;
  forecast::ForecastService forecasts_{{.interval_ns = kInterval}};
  app::AnomalyWatch watch_{{forecasts_, loop_.live}, loop_.clock.now()};

 private:
  std::size_t ordinal_ = 0;
};

TEST_F(AnomalyWatchTest, TellsOneEventOfADemandThatWasNeverSeen) {
  ordinary(3 * kDay);
  watch_.look(*loop_.rosters.current());
  EXPECT_TRUE(events().empty());
  for (int i = 0; i < 6; ++i) interval(megabits(900));
  const std::int64_t first = loop_.clock.now().value - 6 * static_cast<std::int64_t>(kInterval);
  watch_.look(*loop_.rosters.current());
  ASSERT_EQ(events().size(), 1u);
  const wire::Event event = events().back();
  EXPECT_EQ(event.kind, "anomaly");
  EXPECT_THAT(event.text, AllOf(StartsWith("web egress: 900 Mbit/s, above what is usual: "), HasSubstr("score 0.")));
  EXPECT_EQ(event.time.value, first);
}

TEST_F(AnomalyWatchTest, JudgesAnIntervalOnceALaterOneHasBegun) {
  ordinary(3 * kDay);
  watch_.look(*loop_.rosters.current());
  const std::size_t before = events().size();
  interval(megabits(900));
  watch_.look(*loop_.rosters.current());
  EXPECT_EQ(events().size(), before);
  interval(megabits(80));
  watch_.look(*loop_.rosters.current());
  EXPECT_EQ(events().size(), before + 1);
  watch_.look(*loop_.rosters.current());
  EXPECT_EQ(events().size(), before + 1);
}

TEST_F(AnomalyWatchTest, LearnsAHistoryOfBeforeWithoutTellingOfIt) {
  ordinary(3 * kDay);
  for (int i = 0; i < 6; ++i) interval(megabits(900));
  ordinary(2);
  app::AnomalyWatch restarted({forecasts_, loop_.live}, loop_.clock.now());
  restarted.look(*loop_.rosters.current());
  EXPECT_TRUE(events().empty());
}

TEST_F(AnomalyWatchTest, SaysNothingOfASeriesThatItHasJustMet) {
  interval(megabits(80));
  interval(megabits(3));
  interval(megabits(700));
  ordinary(app::AnomalyWatch::kProbation / 2);
  watch_.look(*loop_.rosters.current());
  EXPECT_TRUE(events().empty());
}

TEST_F(AnomalyWatchTest, LearnsMoreThanItMayAtOnceInSeveralCalls) {
  forecast::ForecastService long_kept({.interval_ns = kNanosPerSecond, .history = 30'000});
  const auto start = loop_.clock.now().value;
  for (const char* name : {"web", "db"})
    for (std::int64_t second = 1; second <= 25'000; ++second)
      long_kept.observe(loop_.id(name), Direction::kEgress,
                        {start + second * static_cast<std::int64_t>(kNanosPerSecond)}, kNanosPerSecond,
                        second == 24'990 ? 900'000'000 : 1'000'000 + static_cast<std::uint64_t>(second % 7), false);
  app::AnomalyWatch watch({long_kept, loop_.live}, {start + 24'000 * static_cast<std::int64_t>(kNanosPerSecond)});
  watch.look(*loop_.rosters.current());
  const std::size_t first = events().size();
  EXPECT_GE(first, 1u);
  for (const auto& event : events()) EXPECT_THAT(event.text, StartsWith("web "));
  watch.look(*loop_.rosters.current());
  EXPECT_GT(events().size(), first);
}

}  // namespace
}  // namespace foreflow
