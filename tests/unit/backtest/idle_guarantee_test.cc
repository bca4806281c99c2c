// SPDX-License-Identifier: Apache-2.0
// What is kept free of idle guarantees is learned from what it would have cost.
#include "host/app/backtest/idle_guarantee.h"

#include <gtest/gtest.h>

namespace foreflow::backtest {
namespace {

constexpr std::size_t kSeason = 24;

// Idle at a tenth of `peak`; every `every` rows, at no time of day, it needs the whole.
Recording bursty(double peak, std::size_t every, std::size_t rows = 30 * kSeason) {
  Recording made{.name = "vm", .kind = {}, .series = predictor::Series(kSeason), .observed = {}};
  for (std::size_t i = 0; i < rows; ++i) made.series.push(i % every == every - 1 ? peak : peak / 10);
  made.observed.assign(rows, 1);
  return made;
}

TEST(IdleGuarantee, OfASmallVmIsKeptWholeWhereThatOfALargeOneIsNot) {
  const Recording small = bursty(1e5, 401);
  const Recording large = bursty(1e8, 401);
  constexpr double kPrice = 1e8;
  EXPECT_EQ(keep(small.series.view(), .5e5).cheapest(kPrice), kWholeGuarantee);
  EXPECT_LE(keep(large.series.view(), .5e8).cheapest(kPrice), 1);
}

TEST(IdleGuarantee, IsKeptWholeWhereNothingIsKnown) {
  const Recording young = bursty(1e6, 10, 2 * kSeason);
  EXPECT_EQ(keep(young.series.view(), 5e5).cheapest(1), kWholeGuarantee);
}

TEST(IdleGuarantee, CountsWhatEachMarginKeepsAndMisses) {
  const Recording one = bursty(1e6, 401);  // row 400 is the only burst after the first week and before row 801
  const Keeping kept = keep(one.series.view().first(568), 5e5);
  // 400 rows after the first week; usual is 1e5, so a margin of 1 misses the burst alone and keeps nothing unused
  // until it has become usual.
  EXPECT_NEAR(kept.missed[6], 1. / 400, 1e-9);
  EXPECT_EQ(kept.missed.back(), 0);
  EXPECT_LT(kept.unused[6], kept.unused.back());
}

TEST(IdleGuarantee, FewerMissesHaveAHigherPrice) {
  // Three that always want all of the link, and one whose bursts come as a surprise.
  std::vector<Recording> fleet(3, bursty(1e6, 1));
  fleet.push_back(bursty(1e6, 41));
  const Scenario scenario{.first = 28 * kSeason};
  const auto none = learn_price(fleet, 4, scenario, 0, 1);
  const auto any = learn_price(fleet, 4, scenario, 1, 1);
  ASSERT_TRUE(none && any);
  EXPECT_GT(*none, *any);
}

}  // namespace
}  // namespace foreflow::backtest
