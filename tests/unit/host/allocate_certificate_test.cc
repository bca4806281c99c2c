// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/allocate/certificate.h"
#include "tests/unit/host/allocate_problems.h"

namespace foreflow::allocate {
namespace {

using ::testing::HasSubstr;

std::string objection(const Problem& problem, const std::vector<Share>& shares) {
  const Status proof = certify(problem, shares);
  return proof ? "none" : proof.error().message;
}

// Two VMs on one link of which 900 B/s can be promised.
Problem two_on_a_link() {
  return {.links = {{{1'000}, "uplink0 egress"}},
          .claims = {{.vm = {1}, .want = {800}, .peak = {800}, .links = {0}},
                     {.vm = {2}, .want = {800}, .peak = {800}, .links = {0}}}};
}

std::vector<Share> shares_of(std::uint64_t first, std::uint64_t second, std::uint64_t pir = 500) {
  return {{.vm = {1}, .grant = {first}, .cir = {first}, .pir = {pir}},
          {.vm = {2}, .grant = {second}, .cir = {second}, .pir = {pir}}};
}

TEST(Certificate, AcceptsTheMaxMinPoint) { EXPECT_EQ(objection(two_on_a_link(), shares_of(450, 450)), "none"); }

TEST(Certificate, RefusesAnUnfairShareOfAFullLink) {
  EXPECT_EQ(objection(two_on_a_link(), shares_of(440, 460)),
            "vm 1: CIR is 440 of 800 B/s and no link that it crosses stops it");
}

TEST(Certificate, RefusesToLeaveRoomUnusedThatSomebodyWants) {
  EXPECT_THAT(objection(two_on_a_link(), shares_of(440, 440)), HasSubstr("vm 1: CIR is 440 of 800 B/s"));
}

TEST(Certificate, RefusesMoreThanTheLinkCanPromise) {
  EXPECT_THAT(objection(two_on_a_link(), shares_of(451, 450)), HasSubstr("uplink0 egress: the sum of CIR is above"));
}

TEST(Certificate, RefusesALaterTierAboveItsGuaranteeWhileAnEarlierOneLacks) {
  Problem problem = two_on_a_link();
  problem.claims[1].tier = 1;
  problem.lending = true;
  EXPECT_EQ(objection(problem, shares_of(800, 100, 900)), "none");
  EXPECT_THAT(objection(problem, shares_of(700, 200, 900)), HasSubstr("vm 1: CIR is 700"));
}

TEST(Certificate, RefusesABrokenGuaranteeAndABrokenCap) {
  Problem problem = two_on_a_link();
  problem.claims[0].guarantee = {500};
  EXPECT_THAT(objection(problem, shares_of(450, 450)), HasSubstr("vm 1: CIR is not the larger"));
  problem.claims[0].guarantee = {0};
  problem.claims[0].cap = {400};
  EXPECT_THAT(objection(problem, shares_of(400, 500)), HasSubstr("vm 1: PIR is above the cap"));
}

TEST(Certificate, RefusesSpareThatIsKeptBackInHardMode) {
  EXPECT_THAT(objection(two_on_a_link(), shares_of(450, 450, 450)), HasSubstr("vm 1: PIR is 450"));
}

TEST(Certificate, RefusesSharesOfOtherClaims) {
  EXPECT_EQ(objection(two_on_a_link(), {}), "0 shares for 2 claims");
  auto swapped = shares_of(450, 450);
  std::swap(swapped[0].vm, swapped[1].vm);
  EXPECT_THAT(objection(two_on_a_link(), swapped), HasSubstr("the share is another VM's"));
}

// The plain quadratic definition and the linear certificate, on solutions and on solutions that were tampered with.
TEST(Certificate, AgreesWithThePlainDefinitionOnRandomSolutions) {
  testing::Random random(20'261'125);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 6'000; ++i) {
    SCOPED_TRACE(fmt::format("problem {}", i));
    const Problem problem = testing::random_problem(random);
    auto shares = allocate(problem);
    ASSERT_TRUE(shares) << shares.error().message;
    if (i % 2 == 1 && !shares->empty()) {
      Share& share = (*shares)[testing::below(random, shares->size())];
      share.grant.value = testing::below(random, share.grant.value + share.grant.value / 8 + 2);
      const Claim& claim = problem.claims[static_cast<std::size_t>(&share - shares->data())];
      share.cir = std::max(claim.guarantee, share.grant);
    }
    const bool plain = testing::violation(problem, *shares).empty();
    EXPECT_EQ(objection(problem, *shares) == "none", plain) << objection(problem, *shares);
    ++(plain ? accepted : refused);
  }
  EXPECT_GT(accepted, 3'000);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace foreflow::allocate
