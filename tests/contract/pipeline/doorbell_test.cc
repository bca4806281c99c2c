// SPDX-License-Identifier: Apache-2.0
// A sleeping worker: what wakes it, what does not, and that nothing given to it is missed.
#include "dataplane/pipeline/doorbell.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace foreflow::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kNoWork = [] { return false; };

TEST(Doorbell, NobodyRingsAndTheSleeperWakesByItself) {
  const auto bell = Doorbell::create().value();
  EXPECT_FALSE(bell->sleep({}, milliseconds(1), kNoWork));
}

TEST(Doorbell, WorkThatIsThereAlreadyIsNotSleptOver) {
  const auto bell = Doorbell::create().value();
  EXPECT_TRUE(bell->sleep({}, seconds(600), [] { return true; }));
}

TEST(Doorbell, AReadableQueueWakesAndStaysAsItWas) {
  const auto bell = Doorbell::create().value();
  const std::array queues{eventfd(0, EFD_NONBLOCK), eventfd(1, EFD_NONBLOCK)};
  EXPECT_FALSE(bell->sleep(std::span(queues).first(1), milliseconds(1), kNoWork));
  EXPECT_TRUE(bell->sleep(queues, seconds(600), kNoWork));
  EXPECT_TRUE(bell->sleep(queues, seconds(600), kNoWork)) << "the packet was taken away";
  for (const int fd : queues) close(fd);
}

TEST(Doorbell, ARingIsHeardOnce) {
  const auto bell = Doorbell::create().value();
  const auto ring = [&] {
    bell->ring();
    return false;
  };
  EXPECT_TRUE(bell->sleep({}, seconds(600), ring));
  EXPECT_FALSE(bell->sleep({}, milliseconds(1), kNoWork));
}

TEST(Doorbell, RingsToOneThatIsAwakeAreForgotten) {
  const auto bell = Doorbell::create().value();
  bell->ring();
  EXPECT_FALSE(bell->sleep({}, milliseconds(1), kNoWork));
}

// Each item is given after the sleeper has found nothing; a ring that was missed would cost ten minutes.
TEST(Doorbell, NothingThatIsGivenIsMissed) {
  constexpr int kItems = 20'000;
  const auto bell = Doorbell::create().value();
  std::atomic<int> given{0};
  std::atomic<int> taken{0};
  std::thread giver([&] {
    for (int item = 1; item <= kItems; ++item) {
      given.store(item, std::memory_order_release);
      bell->ring();
      while (taken.load(std::memory_order_acquire) != item) std::this_thread::yield();
    }
  });
  while (taken.load() != kItems) {
    bell->sleep({}, seconds(600), [&] { return given.load(std::memory_order_acquire) != taken.load(); });
    taken.store(given.load(std::memory_order_acquire), std::memory_order_release);
  }
  giver.join();
}

}  // namespace
}  // namespace foreflow::pipeline
