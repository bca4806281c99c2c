// SPDX-License-Identifier: Apache-2.0
#include "dataplane/police/police.h"

#include <vector>

#include <gtest/gtest.h>

namespace foreflow::police {
namespace {

constexpr std::uint64_t kNow = 1'000'000'000;

meter::TwoRateMeter meter_of(std::uint64_t cbs, std::uint64_t pbs) {
  meter::TwoRateMeter meter;
  meter.configure({BytesPerSecond{1000}, BytesPerSecond{2000}, Bytes{cbs}, Bytes{pbs}}, kNow);
  return meter;
}

struct Offer {
  std::uint32_t size = 0;
  bool over_uplink = false;
  bool passes = false;
};

void decide(meter::TwoRateMeter* meter, meter::Residual& residual, std::vector<Offer>& burst) {
  Uplink uplink(&residual, nullptr);
  for (auto& offer : burst)
    offer.passes = admit({.meter = meter, .uplink = &uplink}, Bytes{offer.size}, offer.over_uplink, kNow);
  uplink.settle(kNow);
}

std::vector<Offer> burst(std::size_t count, bool over_uplink = true) {
  return std::vector<Offer>(count, Offer{100, over_uplink, false});
}

std::size_t passed(const std::vector<Offer>& offers) {
  std::size_t count = 0;
  for (const auto& offer : offers) count += offer.passes ? 1 : 0;
  return count;
}

TEST(Police, WithoutAMeterEverythingPassesAndIsCharged) {
  meter::Residual residual;
  residual.set_capacity(BytesPerSecond{100'000});
  auto offers = burst(32);
  decide(nullptr, residual, offers);
  EXPECT_EQ(passed(offers), 32u);
  EXPECT_FALSE(residual.lends(kNow));  // 3,200 bytes are 32 ms of the uplink
}

TEST(Police, GreenPassesEvenWhenTheUplinkIsInDebt) {
  meter::Residual residual;
  residual.set_capacity(BytesPerSecond{1000});
  residual.charge(Bytes{1000}, kNow);
  auto meter = meter_of(500, 1000);
  auto offers = burst(5);
  decide(&meter, residual, offers);
  EXPECT_EQ(passed(offers), 5u);
}

TEST(Police, YellowPassesOnlyWhileTheUplinkLends) {
  meter::Residual rich;
  meter::Residual poor;
  rich.set_capacity(BytesPerSecond{1'000'000'000});
  poor.set_capacity(BytesPerSecond{1000});
  poor.charge(Bytes{1000}, kNow);
  auto lent = meter_of(200, 1000);
  auto refused = meter_of(200, 1000);
  auto offers = burst(8);
  decide(&lent, rich, offers);
  EXPECT_EQ(passed(offers), 8u);
  offers = burst(8);
  decide(&refused, poor, offers);
  EXPECT_EQ(passed(offers), 2u);
}

TEST(Police, ARefusedYellowPacketTakesNoTokens) {
  meter::Residual residual;
  residual.set_capacity(BytesPerSecond{1000});
  residual.charge(Bytes{1000}, kNow);
  auto meter = meter_of(100, 500);
  auto offers = burst(5);
  decide(&meter, residual, offers);
  EXPECT_EQ(passed(offers), 1u);
  auto between_vms = burst(5, false);
  decide(&meter, residual, between_vms);
  EXPECT_EQ(passed(between_vms), 4u);  // what was left of the cap's 500 bytes
}

TEST(Police, RedNeverPasses) {
  meter::Residual residual;
  auto meter = meter_of(200, 300);
  auto offers = burst(10);
  decide(&meter, residual, offers);
  EXPECT_EQ(passed(offers), 3u);
}

TEST(Police, TrafficBetweenVmsDoesNotTouchTheUplink) {
  meter::Residual residual;
  residual.set_capacity(BytesPerSecond{1});
  auto offers = burst(32, false);
  decide(nullptr, residual, offers);
  EXPECT_TRUE(residual.lends(kNow));
}

}  // namespace
}  // namespace foreflow::police
