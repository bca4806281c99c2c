// SPDX-License-Identifier: Apache-2.0
#include "common/spsc_ring.h"

#include <cstdint>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace foreflow {
namespace {

TEST(SpscRing, GivesBackInOrderAndThenNothing) {
  SpscRing<int, 4> ring;
  EXPECT_EQ(ring.pop(), std::nullopt);
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_EQ(ring.pop(), 1);
  EXPECT_EQ(ring.pop(), 2);
  EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(SpscRing, RefusesWhatDoesNotFitAndKeepsTheRest) {
  SpscRing<int, 2> ring;
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_FALSE(ring.push(3));
  EXPECT_EQ(ring.pop(), 1);
  EXPECT_TRUE(ring.push(4));
  EXPECT_EQ(ring.pop(), 2);
  EXPECT_EQ(ring.pop(), 4);
}

TEST(SpscRing, LosesNothingBetweenTwoThreads) {
  constexpr std::uint64_t kValues = 100'000;
  const auto ring = std::make_unique<SpscRing<std::uint64_t, 64>>();
  std::thread writer([&] {
    for (std::uint64_t value = 0; value < kValues;)
      if (ring->push(value))
        ++value;
      else
        std::this_thread::yield();
  });
  for (std::uint64_t expected = 0; expected < kValues;) {
    const auto value = ring->pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(*value, expected++);
  }
  writer.join();
}

}  // namespace
}  // namespace foreflow
