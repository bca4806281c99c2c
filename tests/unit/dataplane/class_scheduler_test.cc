// SPDX-License-Identifier: Apache-2.0
#include "dataplane/police/class_scheduler.h"

#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace foreflow::police {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStep = 50'000;       // between two rounds of the worker
constexpr BytesPerSecond kRate{125'000'000};  // 1 Gbit/s
constexpr std::uint8_t kVoice = 0, kVideo = 1, kBulk = 2;

// Sources that offer packets of one size at a steady rate, and what came of them.
struct Source {
  std::uint8_t queue = 0;
  std::uint16_t party = 0;
  std::uint64_t rate = 0;  // bytes per second
  bool guaranteed = false;
  std::uint32_t weight = 1;
  std::uint32_t size = 1'000;
  std::uint64_t owed = 0;
  std::uint64_t offered = 0;
  std::uint64_t passed = 0;
  std::uint64_t longest_ns = 0;
};

class ClassSchedulerTest : public ::testing::Test {
 protected:
  using Scheduler = ClassScheduler<std::size_t>;

  void use(std::array<wire::QueueSpec, 3> queues) {
    wire::Queueing queueing;
    std::copy(queues.begin(), queues.end(), queueing.queues.begin());
    scheduler_.configure(queueing, kRate);
  }
  void run(std::vector<Source>& sources, std::uint64_t duration_ns = kSecond) {
    for (const auto end = now_ns_ + duration_ns; now_ns_ < end; now_ns_ += kStep) {
      for (std::size_t i = 0; i < sources.size(); ++i) offer(sources[i], i);
      send(sources);
    }
  }
  void offer(Source& source, std::size_t number) {
    for (source.owed += source.rate * kStep / kSecond; source.owed >= source.size; source.owed -= source.size) {
      scheduler_.push({number, now_ns_, source.size, source.weight, source.party, source.queue, source.guaranteed});
      source.offered += source.size;
    }
  }
  void send(std::vector<Source>& sources) {
    std::array<Scheduler::Entry, 32> burst;
    while (const auto count = scheduler_.pop(burst, now_ns_))
      for (std::size_t i = 0; i < count; ++i) {
        auto& source = sources[burst[i].packet];
        source.passed += burst[i].size;
        source.longest_ns = std::max(source.longest_ns, now_ns_ - burst[i].since_ns);
      }
  }
  static std::uint64_t sum(const std::vector<Source>& sources) {
    return std::accumulate(sources.begin(), sources.end(), std::uint64_t{0},
                           [](std::uint64_t total, const Source& source) { return total + source.passed; });
  }
  static double share(const Source& source) {
    return static_cast<double>(source.passed) / static_cast<double>(kRate.value);
  }

  Scheduler scheduler_{16};
  std::uint64_t now_ns_ = kSecond;
};

TEST_F(ClassSchedulerTest, AStrictClassPassesWholeAndAtOnceWhileBulkOverloadsTheUplink) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kVoice, .rate = 10'000'000, .size = 200},
                              {.queue = kBulk, .rate = 250'000'000}};
  run(sources);
  EXPECT_GE(sources[0].passed + 2 * 200, sources[0].offered);
  EXPECT_LE(sources[0].longest_ns, 3 * kStep);
  EXPECT_NEAR(share(sources[1]), .92, .02);
}

TEST_F(ClassSchedulerTest, OverloadedClassesShareByWeight) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kVideo, .rate = 250'000'000},
                              {.queue = kBulk, .rate = 250'000'000, .size = 1'518}};
  run(sources);
  EXPECT_NEAR(share(sources[0]), .8, .02);
  EXPECT_NEAR(share(sources[1]), .2, .02);
}

TEST_F(ClassSchedulerTest, AClassWithinItsShareWaitsNoLongerThanARound) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kVideo, .rate = 60'000'000}, {.queue = kBulk, .rate = 250'000'000}};
  run(sources);
  EXPECT_GE(sources[0].passed + 10'000, sources[0].offered);
  EXPECT_LE(sources[0].longest_ns, 500'000u);
}

TEST_F(ClassSchedulerTest, WhatAClassLeavesTheOthersHave) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kBulk, .rate = 250'000'000}};
  run(sources);
  EXPECT_NEAR(share(sources[0]), 1.0, .01);
}

TEST_F(ClassSchedulerTest, NeverSendsFasterThanTheUplink) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kVoice, .rate = 100'000'000}, {.queue = kBulk, .rate = 100'000'000}};
  run(sources);
  const auto most = kRate.value + kRate.value * Scheduler::kDepthNs / kSecond + 1'000;
  EXPECT_LE(sum(sources), most);
  EXPECT_GE(sum(sources), kRate.value - kRate.value / 100);
}

TEST_F(ClassSchedulerTest, GuaranteedPacketsFindRoomWhereOthersDoNot) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kBulk, .party = 1, .rate = 250'000'000},
                              {.queue = kBulk, .party = 2, .rate = 50'000'000, .guaranteed = true}};
  run(sources);
  EXPECT_GE(sources[1].passed + kRate.value / 100, sources[1].offered) << "all but what waits";
  EXPECT_NEAR(share(sources[0]), .6, .02);
}

TEST_F(ClassSchedulerTest, PartiesOfOneClassShareByWeightWhateverTheyOffer) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kBulk, .party = 1, .rate = 400'000'000},
                              {.queue = kBulk, .party = 2, .rate = 120'000'000, .weight = 3}};
  run(sources);
  EXPECT_NEAR(share(sources[1]), .75, .04);
  EXPECT_NEAR(share(sources[0]), .25, .04);
}

TEST_F(ClassSchedulerTest, EveryPacketPassedWaitsOrWasCountedAsDropped) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::vector<Source> sources{{.queue = kBulk, .rate = 250'000'000}};
  run(sources);
  const auto& counters = scheduler_.counters(kBulk);
  EXPECT_EQ(counters.passed_bytes.read(), sources[0].passed);
  EXPECT_EQ(counters.passed_packets.read() + counters.dropped_packets.read() + counters.waiting.read(),
            sources[0].offered / sources[0].size);
  EXPECT_GT(counters.dropped_packets.read(), 0u);
  EXPECT_EQ(counters.waiting.read(), scheduler_.waiting());
  EXPECT_EQ(counters.longest_ns.read(), sources[0].longest_ns);
  const auto waiting = scheduler_.waiting();
  std::size_t discarded = 0;
  scheduler_.clear([&](const auto&) { ++discarded; });
  EXPECT_EQ(discarded, waiting);
  EXPECT_EQ(scheduler_.waiting(), 0u);
}

TEST_F(ClassSchedulerTest, SaysWhenTheNextPacketMayLeave) {
  use({{{true, 1}, {false, 4}, {false, 1}}});
  std::array<Scheduler::Entry, 32> burst;
  for (std::size_t i = 0; i < 500; ++i) scheduler_.push({i, now_ns_, 1'000, 1, 0, kVoice, true});
  while (scheduler_.pop(burst, now_ns_) != 0) {
  }
  ASSERT_GT(scheduler_.waiting(), 0u);
  const auto next = scheduler_.next_ns();
  EXPECT_GT(next, now_ns_);
  EXPECT_EQ(scheduler_.pop(burst, next - 1), 0u);
  EXPECT_EQ(scheduler_.pop(burst, next), 1u);
}

}  // namespace
}  // namespace foreflow::police
