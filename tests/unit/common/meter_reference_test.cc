// SPDX-License-Identifier: Apache-2.0
// The meters against the arithmetic of the RFCs, written down as plainly as the RFCs do, and against their promise
// over every window.
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/meter/residual.h"
#include "common/meter/two_rate.h"

namespace foreflow::meter {
namespace {

struct Packet {
  std::uint64_t time_ns;
  std::uint64_t size;
};

// Bursts and pauses, at `load` times `rate` on average.
std::vector<Packet> traffic(std::uint64_t seed, std::uint64_t rate, double load, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<Packet> packets;
  std::uint64_t now = 1'000'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t size = 64 + random() % 1'455;
    const auto mean = static_cast<double>(size) * 1e9 / (static_cast<double>(rate) * load);
    if (random() % 4 == 0) now += static_cast<std::uint64_t>(mean * 4 * static_cast<double>(random() % 2'000) / 1'000);
    packets.push_back({now, size});
  }
  return packets;
}

// Token counts of the RFCs, in bytes times 1e9 so that nothing is rounded.
struct Tokens {
  unsigned __int128 rate, most, now;
  std::uint64_t last_ns = 0;
  Tokens(std::uint64_t bytes_per_second, std::uint64_t burst)
      : rate(bytes_per_second), most(static_cast<unsigned __int128>(burst) * 1'000'000'000), now(most) {}
  void advance(std::uint64_t time_ns) {
    now = std::min(most, now + rate * (time_ns - last_ns));
    last_ns = time_ns;
  }
  static unsigned __int128 cost(std::uint64_t bytes) { return static_cast<unsigned __int128>(bytes) * 1'000'000'000; }
};

// RFC 2698, section 3, colour-blind.
Colour rfc2698(Tokens& peak, Tokens& committed, const Packet& packet) {
  peak.advance(packet.time_ns);
  committed.advance(packet.time_ns);
  const auto cost = Tokens::cost(packet.size);
  if (peak.now < cost) return Colour::kRed;
  peak.now -= cost;
  if (committed.now < cost) return Colour::kYellow;
  committed.now -= cost;
  return Colour::kGreen;
}

// RFC 4115, section 3.2, colour-blind.
Colour rfc4115(Tokens& committed, Tokens& excess, const Packet& packet) {
  committed.advance(packet.time_ns);
  excess.advance(packet.time_ns);
  const auto cost = Tokens::cost(packet.size);
  if (committed.now >= cost) return committed.now -= cost, Colour::kGreen;
  if (excess.now >= cost) return excess.now -= cost, Colour::kYellow;
  return Colour::kRed;
}

constexpr TwoRate kLimit{.cir = {3'000'000}, .pir = {7'000'000}, .cbs = {20'000}, .pbs = {60'000}};

TEST(TwoRateMeter, ColoursAsRfc2698DoesWhenAllYellowPasses) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TwoRateMeter meter;
    meter.configure(kLimit, 1'000'000'000);
    Tokens peak(kLimit.pir.value, kLimit.pbs.value);
    Tokens committed(kLimit.cir.value, kLimit.cbs.value);
    for (const auto& packet : traffic(seed, kLimit.pir.value, .3 + static_cast<double>(seed) / 10, 5'000)) {
      meter.refill(packet.time_ns);
      const auto colour = meter.colour({packet.size});
      if (colour != Colour::kRed) meter.pay({packet.size}, colour);
      ASSERT_EQ(colour, rfc2698(peak, committed, packet)) << "seed " << seed << " at " << packet.time_ns;
    }
  }
}

TEST(TwoRateMeter, WithNothingLentGuaranteesAsRfc4115DoesWithoutExcess) {
  auto limit = kLimit;
  limit.pir = kUnlimited;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TwoRateMeter meter;
    meter.configure(limit, 1'000'000'000);
    Tokens committed(limit.cir.value, limit.cbs.value);
    Tokens excess(0, 0);
    for (const auto& packet : traffic(seed, limit.cir.value, .3 + static_cast<double>(seed) / 5, 5'000)) {
      meter.refill(packet.time_ns);
      const auto colour = meter.colour({packet.size});
      if (colour == Colour::kGreen) meter.pay({packet.size}, colour);
      ASSERT_EQ(colour == Colour::kGreen, rfc4115(committed, excess, packet) == Colour::kGreen);
    }
  }
}

// The most that any window of what passed has over rate * window, in units * 1e9: the greatest rise of "passed - rate *
// time" (one pass over the prefix minima).
template <typename Unit>
__int128 largest_excess(const std::vector<Packet>& passed, std::uint64_t rate, Unit unit) {
  __int128 sum = 0;
  __int128 lowest = 0;
  __int128 most = 0;
  const auto start = passed.empty() ? 0 : passed.front().time_ns;
  for (const auto& packet : passed) {
    const auto earned = static_cast<__int128>(packet.time_ns - start) * rate;
    lowest = std::min(lowest, sum - earned);
    sum += static_cast<__int128>(unit(packet)) * 1'000'000'000;
    most = std::max(most, sum - earned - lowest);
  }
  return most;
}
const auto kBytes = [](const Packet& packet) { return packet.size; };
const auto kOne = [](const Packet&) { return 1; };

TEST(TwoRateMeter, NoWindowPassesMoreThanPeakRateTimesTimePlusBurst) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    TwoRate limit{.cir = {1 + random() % 5'000'000}};
    limit.pir = {limit.cir.value + random() % 5'000'000};
    limit.cbs = {2'000 + random() % 50'000};
    limit.pbs = {2'000 + random() % 50'000};
    limit.packets_per_second = 1 + random() % 5'000;
    limit.packet_burst = 1 + random() % 100;
    TwoRateMeter meter;
    meter.configure(limit, 1'000'000'000);
    std::vector<Packet> passed;
    std::vector<Packet> green;
    for (const auto& packet : traffic(seed, limit.pir.value, 2, 5'000)) {
      meter.refill(packet.time_ns);
      const auto colour = meter.colour({packet.size});
      if (colour == Colour::kRed) continue;
      meter.pay({packet.size}, colour);
      passed.push_back(packet);
      if (colour == Colour::kGreen) green.push_back(packet);
    }
    ASSERT_FALSE(passed.empty());
    EXPECT_LE(largest_excess(passed, limit.pir.value, kBytes), static_cast<__int128>(limit.pbs.value) * 1'000'000'000);
    EXPECT_LE(largest_excess(green, limit.cir.value, kBytes), static_cast<__int128>(limit.cbs.value) * 1'000'000'000);
    EXPECT_LE(largest_excess(passed, limit.packets_per_second, kOne),
              static_cast<__int128>(limit.packet_burst) * 1'000'000'000);
  }
}

TEST(TwoRateMeter, PacketsOverTheirRateAreRed) {
  TwoRateMeter meter;
  meter.configure({.cir = {1'000'000}, .cbs = {1'000'000}, .packets_per_second = 100, .packet_burst = 3}, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(meter.colour({64}), Colour::kGreen);
    meter.pay({64}, Colour::kGreen);
  }
  EXPECT_EQ(meter.colour({64}), Colour::kRed);
  meter.refill(10'000'000);
  EXPECT_EQ(meter.colour({64}), Colour::kGreen);
}

// A tenant's cap, from several threads: the loans that were settled never exceed it.
TEST(Residual, NoWindowLendsMoreThanRateTimesTimePlusDepthFromSeveralThreads) {
  constexpr std::uint64_t kRate = 50'000'000;
  constexpr std::uint64_t kDepthNs = 2'000'000;
  Residual cap;
  cap.set_capacity({kRate}, kDepthNs);
  std::atomic<std::uint64_t> now{1'000'000'000};
  std::vector<std::vector<Packet>> lent(3);
  {
    std::vector<std::jthread> workers;
    for (std::size_t worker = 0; worker < lent.size(); ++worker)
      workers.emplace_back([&, worker] {
        std::mt19937_64 random(worker);
        while (lent[worker].size() < 3'000) {
          const auto time = now.fetch_add(500);
          auto loan = cap.open(time);
          const std::uint64_t size = 64 + random() % 1'455;
          if (!loan.has({size})) continue;
          loan.take({size});
          if (cap.try_settle(loan, time)) lent[worker].push_back({time, size});
        }
      });
  }
  std::vector<Packet> all;
  for (const auto& part : lent) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  EXPECT_LE(largest_excess(all, kRate, kBytes), static_cast<__int128>(kRate) * kDepthNs);
}

TEST(Residual, ChargesSmallFramesOnAFastLinkExactly) {
  Residual residual;
  residual.set_capacity({12'500'000'000});  // 100 Gbit/s: 64 bytes last 5.12 ns
  for (int i = 0; i < 1'000'000; ++i) residual.charge({64}, 0);
  EXPECT_FALSE(residual.lends(5'120'000 - 1'000'000 - 1));
  EXPECT_TRUE(residual.lends(5'120'000 - 1'000'000 + 2'000));
}

TEST(Residual, LendsAgainAfterItWasIdleForYears) {
  Residual residual;
  residual.set_capacity({1'000'000});
  residual.charge({1'000'000}, 1'000'000'000);
  for (std::uint64_t days = 1; days < 3'000; days += 13) EXPECT_TRUE(residual.lends(days * 86'400 * 1'000'000'000));
}

}  // namespace
}  // namespace foreflow::meter
