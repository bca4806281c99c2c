// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/meter/residual.h"
#include "common/meter/token_bucket.h"
#include "common/meter/two_rate.h"

namespace foreflow::meter {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

TEST(TokenBucket, ANewRateDoesNotRefill) {
  TokenBucket bucket(BytesPerSecond{1'000}, Bytes{500});
  ASSERT_TRUE(bucket.take(Bytes{500}));
  bucket.set_rate(BytesPerSecond{1'000'000}, Bytes{500});
  EXPECT_FALSE(bucket.take(Bytes{1}));
}

TEST(TokenBucket, TimeThatRunsBackwardsEarnsNothing) {
  TokenBucket bucket(BytesPerSecond{1'000'000}, Bytes{1'000});
  bucket.refill(1'000 * kMillisecond);
  ASSERT_TRUE(bucket.take(Bytes{1'000}));
  bucket.refill(10 * kMillisecond);
  EXPECT_FALSE(bucket.take(Bytes{1}));
}

TEST(TokenBucket, FractionsOfBytesAreNeverLost) {
  TokenBucket bucket(BytesPerSecond{3}, Bytes{10});
  while (bucket.take(Bytes{1})) {
  }
  std::uint64_t taken = 0;
  for (std::uint64_t now = 7 * kMillisecond; now <= 70'000 * kMillisecond; now += 7 * kMillisecond) {
    bucket.refill(now);
    while (bucket.take(Bytes{1})) ++taken;
  }
  EXPECT_EQ(taken, 210u);
}

// Any window T passes at most rate * T + burst, for random arrivals and every pair of arrivals as the window.
TEST(TokenBucket, NoWindowPassesMoreThanRateTimesTimePlusBurst) {
  std::mt19937_64 random(42);
  const std::uint64_t rate = 12'345'678;
  const std::uint64_t burst = 20'000;
  TokenBucket bucket(BytesPerSecond{rate}, Bytes{burst});
  std::vector<std::pair<std::uint64_t, std::uint64_t>> passed;  // time, running sum before it
  std::uint64_t now = 0;
  std::uint64_t sum = 0;
  for (int i = 0; i < 3'000; ++i) {
    now += random() % 100'000;
    const std::uint64_t size = 64 + random() % 1'455;
    bucket.refill(now);
    if (!bucket.take(Bytes{size})) continue;
    passed.emplace_back(now, sum);
    sum += size;
    for (const auto& [start, before] : passed) {
      const auto allowed = static_cast<unsigned __int128>(rate) * (now - start) / kNanosPerSecond + burst;
      ASSERT_LE(sum - before, allowed);
    }
  }
  EXPECT_GT(passed.size(), 1'000u);
  EXPECT_LT(passed.size(), 3'000u);
}

TwoRate limit(std::uint64_t cir, std::uint64_t pir) {
  return {BytesPerSecond{cir}, BytesPerSecond{pir}, Bytes{3'000}, Bytes{6'000}};
}

TEST(TwoRateMeter, ColoursByGuaranteeThenCap) {
  TwoRateMeter meter;
  meter.configure(limit(1'000'000, 2'000'000), 0);
  std::vector<Colour> colours;
  for (int i = 0; i < 5; ++i) {
    const auto colour = meter.colour(Bytes{1'500});
    colours.push_back(colour);
    if (colour != Colour::kRed) meter.pay(Bytes{1'500}, colour);
  }
  EXPECT_EQ(colours, (std::vector{Colour::kGreen, Colour::kGreen, Colour::kYellow, Colour::kYellow, Colour::kRed}));
}

TEST(TwoRateMeter, RefusedTrafficDoesNotEatTheGuarantee) {
  TwoRateMeter meter;
  meter.configure(limit(1'000'000, 1'000'000), 0);
  std::uint64_t green = 0;
  for (std::uint64_t now = 0; now < 1'000 * kMillisecond; now += kMillisecond / 10) {
    meter.refill(now);
    const auto colour = meter.colour(Bytes{1'500});  // offered at 15 times the rate
    if (colour == Colour::kRed) continue;
    meter.pay(Bytes{1'500}, colour);
    if (colour == Colour::kGreen) green += 1'500;
  }
  EXPECT_NEAR(static_cast<double>(green), 1'000'000, 10'000);
}

TEST(TwoRateMeter, WithoutACapNothingIsRed) {
  TwoRateMeter meter;
  meter.configure({BytesPerSecond{0}, kUnlimited, Bytes{0}, Bytes{0}}, 0);
  EXPECT_EQ(meter.colour(Bytes{9'000}), Colour::kYellow);
}

TEST(TwoRateMeter, ANewCapKeepsTheLevel) {
  TwoRateMeter meter;
  meter.configure(limit(0, 1'000'000), 0);
  while (meter.colour(Bytes{1'000}) != Colour::kRed) meter.pay(Bytes{1'000}, Colour::kYellow);
  meter.configure(limit(0, 9'000'000), 0);
  EXPECT_EQ(meter.colour(Bytes{1'000}), Colour::kRed);
}

TEST(Residual, LendsWhatIsUnusedAndNoMoreThanItsDepth) {
  Residual residual;
  residual.set_capacity(BytesPerSecond{125'000'000});  // 1 Gbit/s: 125 kB in 1 ms
  std::uint64_t lent = 0;
  while (residual.borrow(Bytes{1'000}, kMillisecond)) lent += 1'000;
  EXPECT_GE(lent, 125'000u);
  EXPECT_LE(lent, 127'000u);
}

TEST(Residual, GreenDebtStopsBorrowingUntilItIsPaid) {
  Residual residual;
  residual.set_capacity(BytesPerSecond{125'000'000});
  residual.charge(Bytes{625'000}, 0);  // 5 ms of the link
  EXPECT_FALSE(residual.borrow(Bytes{1'000}, 3 * kMillisecond));
  EXPECT_TRUE(residual.borrow(Bytes{1'000}, 4 * kMillisecond + 1));
}

TEST(Residual, OverAnyLongTimeBorrowersGetCapacityLessTheGuaranteed) {
  Residual residual;
  residual.set_capacity(BytesPerSecond{1'000'000});
  std::uint64_t borrowed = 0;
  for (std::uint64_t now = 0; now < 1'000 * kMillisecond; now += kMillisecond) {
    residual.charge(Bytes{400}, now);
    while (residual.borrow(Bytes{100}, now)) borrowed += 100;
  }
  EXPECT_NEAR(static_cast<double>(borrowed), 600'000, 6'000);
}

TEST(Residual, AnUnconfiguredUplinkIsUnlimited) {
  Residual residual;
  EXPECT_TRUE(residual.borrow(Bytes{1'000'000'000}, 1));
}

TEST(Residual, WorkersTogetherBorrowNoMoreThanTheLinkHas) {
  Residual residual;
  residual.set_capacity(BytesPerSecond{125'000'000});
  std::atomic<std::uint64_t> lent{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([&] {
      while (residual.borrow(Bytes{100}, kMillisecond)) lent += 100;
    });
  workers.clear();
  EXPECT_NEAR(static_cast<double>(lent.load()), 125'000, 200);
}

}  // namespace
}  // namespace foreflow::meter
