// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/allocate.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/allocate_problems.h"

namespace foreflow::allocate {
namespace {

using ::testing::HasSubstr;

constexpr int kProblems = 4'000;

Claim claim(std::uint32_t vm, std::uint64_t guarantee, std::uint64_t want, std::vector<LinkIndex> links = {0}) {
  return {.vm = {vm}, .guarantee = {guarantee}, .want = {want}, .links = std::move(links)};
}

std::vector<std::uint64_t> grants(const Problem& problem) {
  std::vector<std::uint64_t> values;
  const auto shares = allocate(problem);
  if (!shares) {
    ADD_FAILURE() << shares.error().message;
    return values;
  }
  for (const Share& share : *shares) values.push_back(share.grant.value);
  return values;
}

std::string error_of(const Problem& problem) {
  const auto shares = allocate(problem);
  return shares ? "no error" : shares.error().message;
}

using Values = std::vector<std::uint64_t>;

TEST(Allocate, GivesEverybodyWhatHeWantsWhereThereIsRoom) {
  EXPECT_EQ(grants({.links = {{{1'000}}}, .claims = {claim(1, 0, 100), claim(2, 50, 400)}}), (Values{100, 400}));
}

TEST(Allocate, SharesNinetyPercentOfAFullLinkEqually) {
  EXPECT_EQ(grants({.links = {{{1'000}}}, .claims = {claim(1, 0, 800), claim(2, 0, 800)}}), (Values{450, 450}));
}

TEST(Allocate, SharesByWeight) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 0, 900), claim(2, 0, 900)}};
  problem.claims[0].weight = 2;
  EXPECT_EQ(grants(problem), (Values{600, 300}));
}

TEST(Allocate, LeavesWhatASmallClaimDoesNotWantToTheOthers) {
  EXPECT_EQ(grants({.links = {{{1'000}}}, .claims = {claim(1, 0, 100), claim(2, 0, 900), claim(3, 0, 900)}}),
            (Values{100, 400, 400}));
}

TEST(Allocate, KeepsAGuaranteeThatIsAboveTheFairLevel) {
  EXPECT_EQ(grants({.links = {{{1'000}}}, .claims = {claim(1, 700, 900), claim(2, 0, 900), claim(3, 0, 900)}}),
            (Values{700, 100, 100}));
}

TEST(Allocate, ServesTiersInOrderButGuaranteesOfAllTiersFirst) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 0, 900), claim(2, 200, 900)}};
  problem.claims[1].tier = 1;
  EXPECT_EQ(grants(problem), (Values{700, 200}));
}

// Bertsekas & Gallager's example: two claims on one link, one of them also on a second, narrower one.
TEST(Allocate, GivesTheRoomThatANarrowLinkLeavesOnAWideOne) {
  EXPECT_EQ(grants({.links = {{{1'000}}, {{200}}},
                    .claims = {claim(1, 0, 900), claim(2, 0, 900, {0, 1}), claim(3, 0, 900, {1})}}),
            (Values{810, 90, 90}));
}

TEST(Allocate, PromisesAnUnusedGuaranteeToNobodyElse) {
  const Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 500, 100), claim(2, 0, 900)}};
  const auto shares = allocate(problem).value();
  EXPECT_EQ(shares[0].grant, BytesPerSecond{100});
  EXPECT_EQ(shares[0].cir, BytesPerSecond{500});
  EXPECT_EQ(shares[1].cir, BytesPerSecond{400});
}

TEST(Allocate, RaisesThePeakRateToTheForecastPeakWhereTheDeviceLends) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 0, 300), claim(2, 0, 300)}, .lending = true};
  problem.claims[0].peak = {700};
  const auto shares = allocate(problem).value();
  EXPECT_EQ(shares[0].pir, BytesPerSecond{700});
  EXPECT_EQ(shares[1].pir, BytesPerSecond{500});
}

TEST(Allocate, IgnoresTheForecastPeakInHardMode) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 0, 300), claim(2, 0, 300)}};
  problem.claims[0].peak = {700};
  EXPECT_EQ(allocate(problem).value()[0].pir, BytesPerSecond{500});
}

TEST(Allocate, LendsNothingToWeightZero) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(1, 100, 900)}, .lending = true};
  problem.claims[0].weight = 0;
  problem.claims[0].peak = {900};
  const Share share = allocate(problem).value()[0];
  EXPECT_EQ(share.pir, BytesPerSecond{100});
  EXPECT_EQ(share.binding, Binding::kGuaranteeOnly);
}

TEST(Allocate, LeavesAClaimOnUnlimitedLinksToItsWantAndCap) {
  Problem problem{.links = {{kUnlimited}}, .claims = {claim(1, 5, 70), claim(2, 0, kUnlimited.value)}};
  problem.claims[0].cap = {100};
  const auto shares = allocate(problem).value();
  EXPECT_EQ(shares[0].cir, BytesPerSecond{70});
  EXPECT_EQ(shares[0].pir, BytesPerSecond{100});
  EXPECT_EQ(shares[1].cir, kUnlimited);
}

TEST(Allocate, AnswersNoClaimsWithNoShares) { EXPECT_TRUE(allocate({.links = {{{1'000}}}}).value().empty()); }

TEST(Allocate, NamesTheLinkAndTheLargestClaimWhenGuaranteesDoNotFit) {
  const Problem problem{.links = {{{125'000'000}, "uplink0 egress"}},
                        .claims = {claim(1, 50'000'000, 0), claim(7, 75'000'000, 0)}};
  EXPECT_EQ(error_of(problem),
            "uplink0 egress: guarantees add up to 1.00 Gbit/s, more than the 900 Mbit/s that can be promised (90 % of "
            "1.00 Gbit/s); the largest is 600 Mbit/s of vm 7");
}

TEST(Allocate, RefusesACapBelowTheGuarantee) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(3, 100, 100)}};
  problem.claims[0].cap = {99};
  EXPECT_THAT(error_of(problem), HasSubstr("vm 3: the cap of"));
}

TEST(Allocate, RefusesALinkThatDoesNotExist) {
  EXPECT_THAT(error_of({.links = {{{1'000}}}, .claims = {claim(3, 0, 100, {1})}}),
              HasSubstr("vm 3: there is no link 1"));
}

TEST(Allocate, RefusesALinkThatIsNamedTwice) {
  EXPECT_THAT(error_of({.links = {{{1'000}}}, .claims = {claim(3, 0, 100, {0, 0})}}),
              HasSubstr("vm 3: names link 0 twice"));
}

TEST(Allocate, RefusesAWeightOutOfRange) {
  Problem problem{.links = {{{1'000}}}, .claims = {claim(3, 0, 100)}};
  problem.claims[0].weight = kMostWeight + 1;
  EXPECT_THAT(error_of(problem), HasSubstr("vm 3: weight 1000001 is out of range"));
}

TEST(Explain, SaysInWordsWhatStopsEachClaim) {
  Problem problem{.links = {{{125'000'000}, "uplink0 egress"}},
                  .claims = {claim(1, 56'250'000, 100'000'000), claim(2, 0, 1'000'000), claim(3, 0, 9'000'000)}};
  problem.claims[2].cap = {6'250'000};
  EXPECT_THAT(explain(problem, allocate(problem).value()),
              ::testing::ElementsAre("all it wants", "all it wants", "its cap of 50.0 Mbit/s"));
  problem.claims[1].want = {100'000'000};
  EXPECT_EQ(explain(problem, allocate(problem).value())[1],
            "limited by uplink0 egress (900 Mbit/s to promise, 450 Mbit/s of guarantees)");
}

class AllocateProperties : public ::testing::Test {
 protected:
  // Calls check(problem, shares) with thousands of problems, the same in each run.
  template <typename Check>
  static void for_each_problem(Check check) {
    testing::Random random(20'260'131);
    for (int i = 0; i < kProblems && !HasFailure(); ++i) {
      SCOPED_TRACE(fmt::format("problem {}", i));
      const Problem problem = testing::random_problem(random);
      const auto shares = allocate(problem);
      ASSERT_TRUE(shares) << shares.error().message;
      check(problem, *shares);
    }
  }
};

TEST_F(AllocateProperties, KeepBoundsAndLinksAndShareEveryTierAndTheSpareByMaxMin) {
  for_each_problem([](const Problem& problem, const std::vector<Share>& shares) {
    EXPECT_EQ(testing::violation(problem, shares), "");
  });
}

TEST_F(AllocateProperties, NameALinkThatTheClaimCrossesAsItsLimit) {
  for_each_problem([](const Problem& problem, const std::vector<Share>& shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const Claim& claim = problem.claims[i];
      switch (shares[i].binding) {
        case Binding::kWant:
          EXPECT_EQ(shares[i].grant, claim.want);
          break;
        case Binding::kCap:
          EXPECT_EQ(shares[i].grant, claim.cap);
          break;
        case Binding::kLink:
          EXPECT_NE(std::ranges::find(claim.links, shares[i].link), claim.links.end());
          break;
        case Binding::kGuaranteeOnly:
          EXPECT_EQ(claim.weight, 0);
          break;
      }
    }
  });
}

TEST_F(AllocateProperties, DoNotDependOnTheOrderOfClaims) {
  testing::Random random(7);
  for_each_problem([&random](const Problem& problem, const std::vector<Share>& shares) {
    std::vector<std::size_t> order(shares.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    Problem shuffled = problem;
    for (std::size_t i = 0; i < order.size(); ++i) shuffled.claims[i] = problem.claims[order[i]];
    const auto again = allocate(shuffled).value();
    for (std::size_t i = 0; i < order.size(); ++i) {
      EXPECT_EQ(again[i].grant, shares[order[i]].grant);
      EXPECT_EQ(again[i].pir, shares[order[i]].pir);
      EXPECT_EQ(again[i].binding, shares[order[i]].binding);
    }
  });
}

TEST_F(AllocateProperties, GiveTheSameSharesForTheSameProblem) {
  for_each_problem([](const Problem& problem, const std::vector<Share>& shares) {
    const auto again = allocate(problem).value();
    for (std::size_t i = 0; i < shares.size(); ++i) {
      EXPECT_EQ(again[i].cir, shares[i].cir);
      EXPECT_EQ(again[i].pir, shares[i].pir);
    }
  });
}

}  // namespace
}  // namespace foreflow::allocate
