// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/behaviour.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/units.h"

namespace foreflow::classify {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr bool kUdp = true, kTcp = false;

// A flow's payloads of random bytes, as what is encrypted looks.
class Talk {
 public:
  Talk& say(std::uint8_t sender, std::size_t size, std::uint64_t after_ns) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    now_ += after_ns;
    shape_.add(sender, bytes, now_);
    return *this;
  }
  const PacketShape& shape() const { return shape_; }
  Behaviour looks_like(bool is_udp) const { return shape_.guess(is_udp).behaviour; }

 private:
  PacketShape shape_;
  std::uint64_t now_ = kNanosPerSecond;
  std::minstd_rand random_;
};

TEST(Behaviour, SmallDatagramsInBothDirectionsAtAQuickPaceAreRealTime) {
  Talk call;
  for (int i = 0; i < 10; ++i) call.say(i % 4 < 2, i % 3 == 0 ? 130 : 70, (i % 2 == 0 ? 3 : 17) * kMilli);
  EXPECT_EQ(call.looks_like(kUdp), Behaviour::kRealTime);
}

TEST(Behaviour, FewBytesNowAndThenFromBothSidesOfAConnectionAreInteractive) {
  Talk typing;
  for (int i = 0; i < 10; ++i) typing.say(i % 3 == 0 ? 0 : 1, i == 5 ? 250 : 36, (i % 3 == 0 ? 900 : 20) * kMilli);
  EXPECT_EQ(typing.looks_like(kTcp), Behaviour::kInteractive);
}

TEST(Behaviour, FullEncryptedSegmentsFromOneSideAreAStream) {
  Talk video;
  video.say(0, 600, 0);
  for (int i = 0; i < 9; ++i) video.say(1, 1'440, (i % 3 == 0 ? 60 : 1) * kMilli);
  EXPECT_EQ(video.looks_like(kTcp), Behaviour::kStreaming);
}

TEST(Behaviour, ALittleAtLongEvenIntervalsIsABeacon) {
  Talk beacon, uneven;
  for (int i = 0; i < 6; ++i) {
    beacon.say(0, 90, 60 * kNanosPerSecond + static_cast<std::uint64_t>(i) * kMilli);
    uneven.say(0, 90, (i % 2 == 0 ? 10 : 90) * kNanosPerSecond);
  }
  EXPECT_EQ(beacon.looks_like(kUdp), Behaviour::kBeacon);
  EXPECT_NE(uneven.looks_like(kUdp), Behaviour::kBeacon);
}

TEST(Behaviour, NothingIsSaidOfTwoPayloads) {
  Talk talk;
  EXPECT_EQ(talk.say(0, 172, 0).say(1, 172, 10 * kMilli).looks_like(kUdp), Behaviour::kNone);
}

TEST(Behaviour, WhicheverNumberASenderHasTheFeaturesAreTheSame) {
  Talk one, other;
  for (int i = 0; i < 8; ++i) {
    const auto size = 40 + 90 * static_cast<std::size_t>(i);
    one.say(i % 3 == 0, size, 5 * kMilli);
    other.say(i % 3 != 0, size, 5 * kMilli);
  }
  EXPECT_EQ(one.shape().features(kUdp), other.shape().features(kUdp));
}

TEST(Behaviour, FeaturesAreFiniteWhateverComes) {
  Talk odd;
  for (const std::size_t size : {1, 1, 65'535, 65'535, 1})
    odd.say(0, size, size == 1 ? 0 : 1'000'000 * kNanosPerSecond);
  for (const auto value : odd.shape().features(kTcp)) EXPECT_TRUE(std::isfinite(value));
  PacketShape backwards;
  const std::uint8_t byte[1] = {7};
  for (const std::uint64_t time : {9u, 5u, 7u, 1u}) backwards.add(0, byte, time);
  for (const auto value : backwards.features(kTcp)) EXPECT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace foreflow::classify
