// SPDX-License-Identifier: Apache-2.0
// What of an uplink is lent to whom, from what was offered lately.
#include "dataplane/offload/peak_lending.h"

#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::offload {
namespace {

using testing::ElementsAre;

constexpr BytesPerSecond kCapacity{1'000};

PeakClaim claim(std::uint64_t cir, std::uint64_t offered, std::uint32_t weight = 1, std::uint64_t cap = 1'000) {
  return {.cir = {cir}, .cap = {cap}, .weight = weight, .offered = {offered}};
}

std::vector<std::uint64_t> lend(const std::vector<PeakClaim>& claims, BytesPerSecond capacity = kCapacity) {
  std::vector<std::uint64_t> peaks;
  for (const auto peak : lend_peaks(claims, capacity)) peaks.push_back(peak.value);
  return peaks;
}

TEST(PeakLending, TheHungryShareWhatIsLeftByWeight) {
  EXPECT_THAT(lend({claim(100, 5'000, 1), claim(100, 5'000, 3)}), ElementsAre(300, 700));
}

TEST(PeakLending, WhatOneLeavesIsLentToTheOthers) {
  EXPECT_THAT(lend({claim(400, 100, 1), claim(100, 5'000, 1), claim(100, 5'000, 1)}), ElementsAre(750, 450, 450));
}

TEST(PeakLending, AWishBelowTheShareIsMetAndTheRestGoesOn) {
  EXPECT_THAT(lend({claim(100, 200, 1), claim(100, 5'000, 1), claim(100, 5'000, 1)}), ElementsAre(400, 400, 400));
  EXPECT_THAT(lend({claim(0, 100, 1), claim(0, 5'000, 1), claim(0, 5'000, 2)}), ElementsAre(300, 300, 600));
}

TEST(PeakLending, WhereNobodyIsHungryAnyoneMayTakeWhatNobodyUses) {
  EXPECT_THAT(lend({claim(100, 300), claim(100, 100)}), ElementsAre(900, 700));
}

TEST(PeakLending, NobodyGetsMoreThanHisCapNorLessThanWhatIsGuaranteed) {
  EXPECT_THAT(lend({claim(100, 5'000, 1, 150), claim(600, 5'000, 1), claim(600, 5'000, 1)}), ElementsAre(100, 600, 600))
      << "the guarantees alone are more than the uplink";
  EXPECT_THAT(lend({claim(100, 5'000, 1, 150), claim(100, 5'000, 1)}), ElementsAre(150, 850));
}

TEST(PeakLending, WithoutACapacityEachHasHisCap) {
  EXPECT_THAT(lend({claim(100, 5'000, 1, 700), claim(100, 0, 9, 800)}, kUnlimited), ElementsAre(700, 800));
  EXPECT_THAT(lend({}), ElementsAre());
}

// What would come through, if all went on offering what they did.
TEST(PeakLending, RandomDemandsNeverComeToMoreThanTheCapacityOrLeaveItUnused) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<PeakClaim> claims(1 + random() % 20);
    std::uint64_t guaranteed = 0, wanted = 0, passed = 0;
    for (auto& one : claims) {
      one = claim(random() % 40, random() % 400, 1 + static_cast<std::uint32_t>(random() % 9));
      guaranteed += one.cir.value;
      wanted += std::min(one.offered.value, one.cap.value);
    }
    ASSERT_LE(guaranteed, kCapacity.value);
    const auto peaks = lend(claims);
    for (std::size_t i = 0; i < claims.size(); ++i) {
      ASSERT_GE(peaks[i], claims[i].cir.value);
      ASSERT_LE(peaks[i], claims[i].cap.value);
      passed += std::min(claims[i].offered.value, peaks[i]);
    }
    ASSERT_LE(passed, kCapacity.value);
    ASSERT_GE(passed + claims.size(), std::min(wanted, kCapacity.value)) << "round " << round;
  }
}

}  // namespace
}  // namespace foreflow::offload
