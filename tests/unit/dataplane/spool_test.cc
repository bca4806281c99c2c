// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/spool.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace foreflow::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Bytes kCapacity{64u << 10};

wire::CompressedReport record(std::uint64_t boot_id, std::uint64_t sequence, std::size_t size = 100) {
  std::string payload(size, '\0');
  std::mt19937_64 random(boot_id * 1'000'003 + sequence);
  for (auto& byte : payload) byte = static_cast<char>(random());
  return {.boot_id = boot_id, .sequence = sequence, .raw_size = static_cast<std::uint32_t>(2 * size), .zstd = payload};
}

std::vector<std::uint64_t> sequences(const Spool& spool) {
  std::vector<std::uint64_t> result;
  for (auto p = spool.first(); p < spool.end(); ++p) result.push_back(spool.read(p)->sequence);
  return result;
}

std::uint64_t bytes_on_disk(const std::filesystem::path& directory) {
  std::uint64_t total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) total += entry.file_size();
  return total;
}

std::filesystem::path largest_file(const std::filesystem::path& directory) {
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
  return largest;
}

TEST(Spool, GivesBackWhatWasAppendedInOrder) {
  const test::TemporaryDirectory directory;
  auto spool = *Spool::open(directory.path(), kCapacity);
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(spool.append(record(7, i)));
  ASSERT_EQ(spool.count(), 5u);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(*spool.read(spool.first() + i - 1) == record(7, i));
}

TEST(Spool, ReleasesUpToTheAcknowledgedSequenceOfThatBootOnly) {
  const test::TemporaryDirectory directory;
  auto spool = *Spool::open(directory.path(), kCapacity);
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool.append(record(1, i)));
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool.append(record(2, i)));
  spool.release(2, 3);
  EXPECT_EQ(spool.count(), 6u) << "the older boot's reports come first";
  spool.release(1, 2);
  EXPECT_THAT(sequences(spool), ElementsAre(3, 1, 2, 3));
  spool.release(1, 3);
  spool.release(2, 100);
  EXPECT_EQ(spool.count(), 0u);
  EXPECT_EQ(spool.dropped(), 0u);
  EXPECT_EQ(bytes_on_disk(directory.path()), 0u);
}

TEST(Spool, FindsEverythingAgainAfterRestart) {
  const test::TemporaryDirectory directory;
  {
    auto spool = *Spool::open(directory.path(), kCapacity);
    for (std::uint64_t i = 1; i <= 200; ++i) ASSERT_TRUE(spool.append(record(1, i)));
    spool.release(1, 150);
  }
  auto spool = *Spool::open(directory.path(), kCapacity);
  const auto found = sequences(spool);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back(), 200u);
  EXPECT_LE(found.front(), 151u) << "an acknowledged report may come again, an open one may not be missing";
  EXPECT_TRUE(std::adjacent_find(found.begin(), found.end(), [](auto a, auto b) { return b != a + 1; }) == found.end());
  EXPECT_EQ(spool.damaged(), 0u);
  ASSERT_TRUE(spool.append(record(2, 1)));
  EXPECT_TRUE(*spool.read(spool.end() - 1) == record(2, 1));
}

TEST(Spool, DropsTheOldestWhenFullAndCountsThem) {
  const test::TemporaryDirectory directory;
  auto spool = *Spool::open(directory.path(), kCapacity);
  constexpr std::uint64_t kReports = 3'000;
  for (std::uint64_t i = 1; i <= kReports; ++i) {
    ASSERT_TRUE(spool.append(record(1, i)));
    ASSERT_LE(spool.size(), kCapacity);
  }
  EXPECT_LE(bytes_on_disk(directory.path()), kCapacity.value);
  EXPECT_GT(spool.count() * Segment::record_size(record(1, 1)), kCapacity.value * 3 / 4) << "the ring is used";
  EXPECT_EQ(spool.count() + spool.dropped(), kReports);
  EXPECT_EQ(spool.read(spool.first())->sequence, spool.dropped() + 1);
  EXPECT_EQ(spool.read(spool.end() - 1)->sequence, kReports);
}

TEST(Spool, ARecordGivenUpAnywhereHoldsNothingUp) {
  const test::TemporaryDirectory directory;
  auto spool = *Spool::open(directory.path(), kCapacity);
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool.append(record(1, i)));
  for (std::uint64_t i = 1; i <= 2; ++i) ASSERT_TRUE(spool.append(record(2, i)));
  const auto last_of_boot = spool.first() + 2;
  spool.drop(last_of_boot);
  spool.drop(last_of_boot);
  EXPECT_EQ(spool.dropped(), 1u) << "once";
  EXPECT_FALSE(spool.holds(last_of_boot));
  EXPECT_EQ(spool.read(last_of_boot + 1)->boot_id, 2u) << "the others stand where they stood";
  spool.release(1, 2);
  EXPECT_THAT(sequences(spool), ElementsAre(1, 2));
  spool.release(2, 2);
  EXPECT_EQ(spool.count(), 0u);
  EXPECT_EQ(bytes_on_disk(directory.path()), 0u);
}

TEST(Spool, WhatADroppedReportAnnouncedIsUnannouncedAgain) {
  const test::TemporaryDirectory directory;
  {
    auto spool = *Spool::open(directory.path(), kCapacity);
    ASSERT_TRUE(spool.append(record(1, 1), 7));
    ASSERT_TRUE(spool.append(record(1, 2), 5));
    ASSERT_TRUE(spool.append(record(1, 3), 3));
    spool.release(1, 1);
    EXPECT_EQ(spool.unannounced(), 0u) << "the manager has heard of them";
    spool.drop_first();
    EXPECT_EQ(spool.unannounced(), 5u);
    ASSERT_TRUE(spool.append(record(1, 4), 5));
  }
  auto spool = *Spool::open(directory.path(), kCapacity);  // the released ones are there again, as are the dropped
  EXPECT_EQ(spool.unannounced(), 0u);
  while (spool.read(spool.first())->sequence < 3) spool.drop_first();
  const auto before = spool.unannounced();
  spool.drop_first();
  EXPECT_EQ(spool.unannounced() - before, 3u) << "remembered over the restart";
  for (std::uint64_t i = 5; spool.dropped() < 10; ++i) ASSERT_TRUE(spool.append(record(1, i), 1));
  EXPECT_GE(spool.unannounced() - before, 3u + 5u);
}

TEST(Spool, ASmallerRingThanLastTimeDropsTheOldest) {
  const test::TemporaryDirectory directory;
  {
    auto spool = *Spool::open(directory.path(), Bytes{512u << 10});
    for (std::uint64_t i = 1; i <= 3'000; ++i) ASSERT_TRUE(spool.append(record(1, i)));
  }
  auto spool = *Spool::open(directory.path(), kCapacity);
  EXPECT_LE(spool.size(), kCapacity);
  EXPECT_EQ(spool.count() + spool.dropped(), 3'000u);
}

TEST(Spool, ATornTailLosesOnlyTheTornRecord) {
  for (const std::uint64_t cut : {1u, 50u, 101u, 139u}) {
    const test::TemporaryDirectory directory;
    {
      auto spool = *Spool::open(directory.path(), kCapacity);
      for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool.append(record(1, i)));
    }
    const auto file = largest_file(directory.path());
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - cut);
    auto spool = *Spool::open(directory.path(), kCapacity);
    EXPECT_THAT(sequences(spool), ElementsAre(1, 2)) << cut;
    EXPECT_EQ(spool.damaged(), 1u) << cut;
    ASSERT_TRUE(spool.append(record(2, 1)));
    EXPECT_THAT(sequences(spool), ElementsAre(1, 2, 1)) << cut;
  }
}

TEST(Spool, ARottenRecordIsSkippedAndTheOthersStay) {
  const test::TemporaryDirectory directory;
  {
    auto spool = *Spool::open(directory.path(), kCapacity);
    for (std::uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(spool.append(record(1, i)));
  }
  std::fstream(largest_file(directory.path())).seekp(140 + 60).put('!');
  auto spool = *Spool::open(directory.path(), kCapacity);
  EXPECT_THAT(sequences(spool), ElementsAre(1, 3, 4));
  EXPECT_EQ(spool.damaged(), 1u);
}

TEST(Spool, ARecordThatRotsWhileOpenIsAnErrorAndCanBeGivenUp) {
  const test::TemporaryDirectory directory;
  auto spool = *Spool::open(directory.path(), kCapacity);
  ASSERT_TRUE(spool.append(record(1, 1)));
  ASSERT_TRUE(spool.append(record(1, 2)));
  std::fstream(largest_file(directory.path())).seekp(60).put('!');
  const auto first = spool.read(spool.first());
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::kMalformed);
  spool.drop_first();
  EXPECT_EQ(spool.dropped(), 1u);
  EXPECT_THAT(sequences(spool), ElementsAre(2));
}

TEST(Spool, AnyBytesInTheDirectoryAreSurvived) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 50; ++round) {
    const test::TemporaryDirectory directory;
    {
      auto spool = *Spool::open(directory.path(), kCapacity);
      for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(spool.append(record(1, i)));
    }
    std::fstream file(largest_file(directory.path()));
    for (int i = 0; i < 10; ++i)
      file.seekp(static_cast<std::streamoff>(random() % 2'800)).put(static_cast<char>(random()));
    file.close();
    std::ofstream(directory / "segment-zz") << "not ours";
    std::ofstream(directory / "segment-00000000000000ff") << "FFr2FFr2FFr2 no record";
    auto spool = *Spool::open(directory.path(), kCapacity);
    for (auto p = spool.first(); p < spool.end(); ++p) {
      const auto found = *spool.read(p);
      ASSERT_TRUE(found == record(1, found.sequence));
    }
    EXPECT_TRUE(std::filesystem::exists(directory / "segment-zz"));
  }
}

TEST(Spool, TwoProcessesCannotShareADirectory) {
  const test::TemporaryDirectory directory;
  const auto first = Spool::open(directory.path(), kCapacity);
  ASSERT_TRUE(first);
  const auto second = Spool::open(directory.path(), kCapacity);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("in use by another dataplane"));
}

TEST(Spool, WhatCannotWorkIsRefusedWithTheReason) {
  const test::TemporaryDirectory directory;
  EXPECT_THAT(Spool::open(directory.path(), Bytes{1'000}).error().message, HasSubstr("expected at least 65.5 kB"));
  std::ofstream(directory / "file") << "x";
  EXPECT_THAT(Spool::open(directory / "file", kCapacity).error().message, HasSubstr("file: "));
  auto spool = *Spool::open(directory / "spool", kCapacity);
  const auto huge = spool.append(record(1, 1, 60'000));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(sequences(spool), IsEmpty());
}

// Against a plain deque, with restarts; sequences are unique, so comparing them compares everything.
TEST(Spool, BehavesLikeAQueueThatForgetsItsHead) {
  const test::TemporaryDirectory directory;
  std::mt19937_64 random(11);
  std::deque<std::uint64_t> expected;
  std::uint64_t next = 1;
  std::uint64_t dropped = 0;
  auto spool = *Spool::open(directory.path(), kCapacity);
  for (int step = 0; step < 2'000; ++step) {
    const auto action = random() % 100;
    if (action < 80) {
      ASSERT_TRUE(spool.append(record(1, next, random() % 3'000)));
      expected.push_back(next++);
      for (; dropped < spool.dropped(); ++dropped) expected.pop_front();
    } else if (action < 98 && !expected.empty()) {
      const auto last = expected.front() + random() % 10;
      spool.release(1, last);
      while (!expected.empty() && expected.front() <= last) expected.pop_front();
    } else {
      spool = *Spool::open(directory / "other", kCapacity);  // closes and unlocks the directory
      spool = *Spool::open(directory.path(), kCapacity);
      dropped = 0;
      const auto found = sequences(spool);  // acknowledged ones may be there again, in front
      ASSERT_GE(found.size(), expected.size());
      ASSERT_TRUE(std::equal(expected.rbegin(), expected.rend(), found.rbegin()));
      expected.assign(found.begin(), found.end());
    }
    ASSERT_LE(spool.size(), kCapacity);
    ASSERT_EQ(spool.count(), expected.size());
    if (step % 20 == 0) {
      ASSERT_THAT(sequences(spool), ::testing::ElementsAreArray(expected));
    }
  }
}

}  // namespace
}  // namespace foreflow::telemetry
