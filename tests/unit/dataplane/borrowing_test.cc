// SPDX-License-Identifier: Apache-2.0
// Borrowing as a whole: meters, residual and weighted shares of many VMs and several workers.
#include "tests/support/borrowing.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace foreflow::test {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

class BorrowingOfWorkers : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(OneAndThree, BorrowingOfWorkers, testing::Values(1, 3));

TEST_P(BorrowingOfWorkers, AGuaranteeIsTakenBackWithinAMillisecondAndLosesNothing) {
  std::vector<std::uint64_t> settled;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto step = take_step({.workers = GetParam()}, seed);
    EXPECT_EQ(step.lost_bytes, 0u);
    settled.push_back(step.settled_ns);
  }
  EXPECT_LE(*std::max_element(settled.begin(), settled.end()), kMillisecond);
}

TEST_P(BorrowingOfWorkers, GreedyVmsBorrowByWeight) {
  Borrowing host({.vms = 13, .workers = GetParam(), .guarantee = {0}});
  for (std::size_t i = 1; i <= 12; ++i) {
    host.set_weight(i, i <= 6 ? 1 : 3);
    host.offer(i, {600'000'000});
  }
  host.run(Borrowing::kStart + 20 * kMillisecond);
  std::vector<std::uint64_t> before;
  for (std::size_t i = 0; i <= 12; ++i) before.push_back(host.passed(i));
  host.run(Borrowing::kStart + 120 * kMillisecond);
  constexpr double kWhole = 125'000'000;  // bytes in 100 ms
  double sum = 0;
  for (std::size_t i = 1; i <= 12; ++i) {
    const auto got = static_cast<double>(host.passed(i) - before[i]);
    EXPECT_NEAR(got / kWhole, (i <= 6 ? 1.0 : 3.0) / 24, .1 * (i <= 6 ? 1.0 : 3.0) / 24) << "VM " << i;
    sum += got;
  }
  EXPECT_NEAR(sum, kWhole, .01 * kWhole);
}

TEST_P(BorrowingOfWorkers, WhatASmallBorrowerDoesNotWantGoesToTheOthers) {
  Borrowing host({.vms = 4, .workers = GetParam(), .guarantee = {0}});
  host.offer(1, {50'000'000});
  host.offer(2, {1'200'000'000});
  host.offer(3, {1'200'000'000});
  host.run(Borrowing::kStart + 100 * kMillisecond);
  const auto before = host.passed(1);
  const auto refused = host.refused(1);
  const std::array others{host.passed(2), host.passed(3)};
  host.run(Borrowing::kStart + 200 * kMillisecond);
  EXPECT_NEAR(static_cast<double>(host.passed(1) - before), 5'000'000, 50'000);
  EXPECT_EQ(host.refused(1), refused);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(static_cast<double>(host.passed(i + 2) - others[i]), 60'000'000, 3'000'000);
}

}  // namespace
}  // namespace foreflow::test
