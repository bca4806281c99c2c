// SPDX-License-Identifier: Apache-2.0
// Limits that act on the traffic they are learned from.
#include "host/app/backtest/closed_loop.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace foreflow::backtest {
namespace {

constexpr std::size_t kSeason = 24;
constexpr std::size_t kHistory = 9 * kSeason;

Recording recording(std::uint64_t seed, double size, std::size_t rows) {
  std::mt19937_64 random(seed);
  Recording made{.name = "vm", .kind = {}, .series = predictor::Series(kSeason), .observed = {}};
  for (std::size_t i = 0; i < rows; ++i) {
    const double daily = 1.2 + std::sin(2 * M_PI * static_cast<double>(i + 6 * seed) / kSeason);
    made.series.push(size * daily * (.7 + .6 * static_cast<double>(random() % 1'000) / 1'000));
  }
  return made;
}

class ClosedLoop : public ::testing::Test {
 protected:
  ClosedLoop() {
    // One of them is as large as the others together: what is spare and shared alike does not rescue it.
    for (std::uint64_t vm = 1; vm <= 4; ++vm) recordings_.push_back(recording(vm, vm == 1 ? 3e6 : 1e6, 40 * kSeason));
    for (const Recording& one : recordings_)
      link_.members.push_back({&one, &one == recordings_.data() ? 7.8e6 : 2.6e6});
  }
  LoopFigures run(Loop loop) {
    loop.first = kHistory;
    loop.hold_steps = 2;
    const auto figures = run_loop(link_, loop);
    EXPECT_TRUE(figures) << figures.error().message;
    return figures.value_or(LoopFigures{});
  }

  std::vector<Recording> recordings_;
  SharedLink link_{"link", {}};
};

TEST_F(ClosedLoop, LearningFromWhatLimitedSendersOfferCostsLittle) {
  const auto open = run({.closed = false});
  const auto closed = run({});
  ASSERT_GT(open.unserved, 0);
  EXPECT_LE(closed.unserved, 1.1 * open.unserved);
}

TEST_F(ClosedLoop, ALendingDeviceLeavesLessUnserved) { EXPECT_LT(run({.lending = true}).unserved, run({}).unserved); }

TEST_F(ClosedLoop, ABadModelCostsLittle) {
  const auto good = run({});
  const auto bad = run({.scale = .3, .bad_from = 25 * kSeason});
  EXPECT_LE(bad.unserved - good.unserved, .005 * good.demand);
}

TEST_F(ClosedLoop, NoWantSinksWhileItsVmIsLimited) {
  const auto figures = run({});
  ASSERT_GT(figures.limited_steps, 0u);
  EXPECT_EQ(figures.sunk, 0u);
}

TEST_F(ClosedLoop, WhereEveryoneFitsNothingIsUnserved) {
  const auto figures = run({.capacity = 10, .closed = false, .regret = false});
  EXPECT_LE(figures.unserved, .001 * figures.demand);
}

}  // namespace
}  // namespace foreflow::backtest
