// SPDX-License-Identifier: Apache-2.0
// A round: forecasts and policy in, shares out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/allocate/round.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::allocate {
namespace {

Member wanting(std::uint32_t vm, BytesPerSecond demand) { return {.vm = VmId{vm}, .demand = demand, .peak = demand}; }

Round round_of(std::vector<Member> members) {
  return {.now = {1}, .capacity = megabits(1000), .link = "dpu0 egress", .members = std::move(members)};
}

std::vector<Outcome> outcomes(const Round& round) {
  auto solved = solve(round);
  EXPECT_TRUE(solved) << solved.error().message;
  return solved ? solved->outcomes : std::vector<Outcome>(round.members.size());
}

TEST(Round, APoolsGuaranteeGoesToThoseWhoWantIt) {
  auto round = round_of({wanting(1, megabits(300)), wanting(2, megabits(10)), wanting(3, megabits(2000))});
  round.pools = {{"a", megabits(300)}};
  round.members[0].pool = round.members[1].pool = 1;
  const auto got = outcomes(round);
  EXPECT_EQ(got[0].share.cir, megabits(300));
  EXPECT_EQ(got[0].guarantee, megabits(290));
  EXPECT_EQ(got[1].guarantee, megabits(10));
}

TEST(Round, WithoutThatGuaranteeTheLouderNeighbourTakesAsMuch) {
  auto round = round_of({wanting(1, megabits(600)), wanting(3, megabits(2000))});
  EXPECT_EQ(outcomes(round)[0].share.cir, megabits(450));
  round.pools = {{"a", megabits(600)}};
  round.members[0].pool = 1;
  EXPECT_EQ(outcomes(round)[0].share.cir, megabits(600));
}

TEST(Round, APoolIsNeverPromisedMoreThanItsCap) {
  auto round = round_of({wanting(1, megabits(300)), wanting(2, megabits(300)), wanting(3, megabits(100))});
  round.pools = {{"a", {}, megabits(400)}};
  round.members[0].pool = round.members[1].pool = 1;
  const auto got = outcomes(round);
  EXPECT_EQ(got[0].share.cir.value + got[1].share.cir.value, megabits(400).value);
  EXPECT_EQ(got[0].share.binding, Binding::kLink);
  EXPECT_EQ(got[2].share.cir, megabits(100));
}

TEST(Round, AFullPoolMakesItsMembersGiveBackAndNobodyElse) {
  auto round = round_of({wanting(1, megabits(50)), wanting(2, megabits(300)), wanting(3, megabits(50))});
  round.pools = {{"a", {}, megabits(400)}};
  round.members[0].pool = round.members[1].pool = 1;
  for (auto& member : round.members) {
    member.previous = WantState{megabits(300), std::nullopt};
    member.hold_ns = 3'600 * kNanosPerSecond;
  }
  const auto got = outcomes(round);
  EXPECT_EQ(got[0].state.want, megabits(50));
  EXPECT_EQ(got[2].state.want, megabits(300));
}

TEST(Round, LeastAndMostClampTheWantButNotTheRight) {
  auto round = round_of({wanting(1, megabits(5)), wanting(2, megabits(800))});
  round.members[0].least = megabits(50);
  round.members[1].most = megabits(100);
  round.members[1].guarantee = megabits(200);
  const auto got = outcomes(round);
  EXPECT_EQ(got[0].share.cir, megabits(50));
  EXPECT_EQ(got[1].state.want, megabits(100));
  EXPECT_EQ(got[1].share.cir, megabits(200));
}

TEST(Round, AForecastThatIsNotBelievedNarrowsNothingEvenWhenALinkIsShort) {
  auto round = round_of({wanting(1, megabits(10)), wanting(2, megabits(2000))});
  round.members[0].previous = WantState{megabits(300), std::nullopt};
  round.members[0].known = false;
  EXPECT_EQ(outcomes(round)[0].share.cir, megabits(300));
  round.members[0].known = true;
  EXPECT_EQ(outcomes(round)[0].share.cir, megabits(10));
}

}  // namespace
}  // namespace foreflow::allocate
