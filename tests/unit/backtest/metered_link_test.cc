// SPDX-License-Identifier: Apache-2.0
// Traffic of every 10 ms through the meters of a link that lends.
#include "host/app/backtest/metered_link.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace foreflow::backtest {
namespace {

constexpr BytesPerSecond kCapacity{10'000'000};
constexpr double kTicksPerSecond = 100;

std::vector<double> steady(double rate, std::size_t ticks = 500) {
  return std::vector<double>(ticks, rate / kTicksPerSecond);
}

TEST(Spread, KeepsTheMeanAndVariesAsSoManyClientsDo) {
  std::mt19937_64 random(1);
  const auto bytes = spread(1e6, 200'000, {.variation = 20, .client = 1e5, .run = 3}, random);
  const double sum = std::accumulate(bytes.begin(), bytes.end(), 0.);
  const double mean = sum / static_cast<double>(bytes.size());
  double variance = 0;
  for (const double value : bytes) variance += (value - mean) * (value - mean);
  variance /= static_cast<double>(bytes.size());
  EXPECT_NEAR(mean, 1e6 / kTicksPerSecond, 1);
  EXPECT_NEAR(variance / (mean * mean), 20. / 10, .2);
}

TEST(MeteredLink, LendsWhatIsUnusedToTheLastPercent) {
  MeteredLink link(kCapacity, 2);
  const std::vector<MeteredVm> vms{{{5'000'000}, {30'000'000}, 1}, {{5'000'000}, {30'000'000}, 1}};
  link.configure(vms);
  const std::vector<std::vector<double>> traffic{steady(1e6), steady(20e6)};
  const auto figures = link.run(traffic);
  EXPECT_NEAR(figures.unavoidable / figures.demand, 11. / 21, 1e-6);
  EXPECT_LE((figures.unserved - figures.unavoidable) / figures.demand, .01);
}

TEST(MeteredLink, StopsAtTheCap) {
  MeteredLink link(kCapacity, 1);
  const std::vector<MeteredVm> vms{{{1'000'000}, {2'000'000}, 1}};
  link.configure(vms);
  const std::vector<std::vector<double>> traffic{steady(4e6, 3'000)};
  const auto figures = link.run(traffic);
  EXPECT_EQ(figures.unavoidable, 0);
  EXPECT_NEAR(figures.unserved / figures.demand, .5, .02);  // but for one burst
  EXPECT_NEAR(figures.capped_too, figures.unserved, .02 * figures.demand);
}

TEST(MeteredLink, CountsWhatIsGuaranteedBeyondTheLinkAsUnserved) {
  MeteredLink link(kCapacity, 1);
  const std::vector<MeteredVm> vms{{{20'000'000}, {20'000'000}, 1}};
  link.configure(vms);
  const std::vector<std::vector<double>> traffic{steady(20e6)};
  const auto figures = link.run(traffic);
  EXPECT_NEAR(figures.unserved / figures.demand, .5, .01);
}

}  // namespace
}  // namespace foreflow::backtest
