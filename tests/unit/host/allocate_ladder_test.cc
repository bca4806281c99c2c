// SPDX-License-Identifier: Apache-2.0
// Wants at several levels of certainty on one link.
#include <gtest/gtest.h>

#include "host/allocate/ladder.h"

namespace foreflow::allocate {
namespace {

Problem two_on_a_link(std::uint64_t promisable) {
  Problem problem;
  problem.links.push_back({{promisable * 100 / kPromisablePercent}, "uplink"});
  for (std::uint32_t i = 1; i <= 2; ++i) problem.claims.push_back({.vm = VmId{i}, .links = {0}});
  return problem;
}

TEST(Ladder, ServesTheProbableNeedOfAllBeforeThePossibleOfAnybody) {
  const std::vector<std::vector<BytesPerSecond>> rungs{{{600}, {100}}, {{600}, {900}}};
  const auto shares = allocate_ladder(two_on_a_link(900), rungs);
  ASSERT_TRUE(shares) << shares.error().message;
  EXPECT_EQ((*shares)[0].cir.value, 600U);  // at once, both would have had 450
  EXPECT_EQ((*shares)[1].cir.value, 300U);
  EXPECT_EQ((*shares)[1].binding, Binding::kLink);
}

TEST(Ladder, TakesNothingBackOnALaterRung) {
  const std::vector<std::vector<BytesPerSecond>> rungs{{{600}, {100}}, {{0}, {900}}};
  const auto shares = allocate_ladder(two_on_a_link(900), rungs);
  ASSERT_TRUE(shares) << shares.error().message;
  EXPECT_EQ((*shares)[0].cir.value, 600U);
}

TEST(Ladder, OfOneRungIsAllocate) {
  Problem problem = two_on_a_link(1'000);
  problem.claims[0].guarantee = {300};
  problem.claims[0].weight = 3;
  const std::vector<std::vector<BytesPerSecond>> rungs{{{800}, {800}}};
  const auto shares = allocate_ladder(problem, rungs);
  for (Claim& claim : problem.claims) claim.want = {800};
  const auto direct = allocate(problem);
  ASSERT_TRUE(shares && direct);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*shares)[i].cir, (*direct)[i].cir);
    EXPECT_EQ((*shares)[i].pir, (*direct)[i].pir);
  }
}

TEST(Ladder, RefusesRungsThatDoNotFit) {
  EXPECT_EQ(allocate_ladder(two_on_a_link(1'000), {}).error().code, ErrorCode::kInvalidArgument);
  const std::vector<std::vector<BytesPerSecond>> rungs{{{1}, {1}}, {{1}}};
  const auto shares = allocate_ladder(two_on_a_link(1'000), rungs);
  ASSERT_FALSE(shares);
  EXPECT_EQ(shares.error().message, "rung 1 has 1 wants for 2 claims; one each is needed");
}

}  // namespace
}  // namespace foreflow::allocate
