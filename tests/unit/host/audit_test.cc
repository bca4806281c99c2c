// SPDX-License-Identifier: Apache-2.0
// The audit: what was written comes back bit for bit, and nothing can be changed unseen.
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "host/audit/counterfactual.h"
#include "host/audit/log.h"
#include "host/audit/reader.h"
#include "host/audit/segment.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'800'000'000'000'000'000;
constexpr std::int64_t kMinute = 60 * static_cast<std::int64_t>(kNanosPerSecond);

// A fleet whose demands wander; each round builds on the one before, as the manager's do.
class Fleet {
 public:
  explicit Fleet(std::uint32_t vms, std::uint64_t seed = 1) : random_(seed) {
    round_ = {.capacity = megabits(1000), .link = "dpu0 egress", .pools = {{"a", megabits(100), megabits(500)}}};
    for (std::uint32_t vm = 1; vm <= vms; ++vm)
      round_.members.push_back({.vm = VmId{vm},
                                .tier = static_cast<std::uint8_t>(vm % 3),
                                .weight = vm % 5,
                                .pool = vm % 4 == 0 ? 1u : 0u,
                                .guarantee = megabits(vm % 7 == 0 ? 1 : 0),
                                .hold_ns = 600 * kNanosPerSecond});
  }

  // One member in `changing` has another forecast.
  std::pair<Record, std::vector<std::vector<allocate::Outcome>>> next(UnixNanos time, std::uint32_t changing) {
    round_.now = time;
    for (auto& member : round_.members)
      if (random_() % changing == 0) {
        member.demand = BytesPerSecond{random_() % 40'000'000};
        member.peak = BytesPerSecond{member.demand.value * 2};
        member.limited = random_() % 8 == 0;
        member.known = random_() % 8 != 0;
      }
    const auto solved = allocate::solve(round_);
    if (!solved) throw std::runtime_error(solved.error().message);
    Record record{time, 3, {{"dpu0", Subject::kEgress, round_, {}, digest_of(solved->outcomes)}}};
    record.entries[0].notes.assign(round_.members.size(), {"seasonal", true});
    for (std::size_t i = 0; i < round_.members.size(); ++i) {
      round_.members[i].previous = solved->outcomes[i].state;
      round_.members[i].installed = solved->outcomes[i].share.pir;
    }
    return {record, {solved->outcomes}};
  }

  std::vector<allocate::Member>& members() { return round_.members; }

 private:
  std::mt19937_64 random_;
  allocate::Round round_;
};

class AuditTest : public ::testing::Test {
 protected:
  void write(int records, const LogConfig& config = {}, std::int64_t step = kMinute) {
    auto log = Log::open(folder_.path(), config);
    ASSERT_TRUE(log) << log.error().message;
    for (int i = 0; i < records; ++i, time_ += step) {
      const auto [record, outcomes] = fleet_.next({time_}, 4);
      ASSERT_TRUE(log->append(record, outcomes));
    }
  }
  Report replayed() {
    const auto report = replay(folder_.path(), {});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(Report{});
  }
  void spoil(std::uint64_t number, std::size_t at) {
    const auto path = segment_path(folder_.path(), number);
    auto bytes = *read_file(path, kLargestSegment);
    bytes.at(at) ^= 1;
    ASSERT_TRUE(replace_file(path, bytes));
  }

  test::TemporaryDirectory folder_;
  Fleet fleet_{40};
  std::int64_t time_ = kStart;
};

TEST_F(AuditTest, ARecordComesBackAsItWas) {
  Encoder encoder;
  Decoder decoder;
  for (int i = 0; i < 50; ++i) {
    if (i == 20) fleet_.members().erase(fleet_.members().begin() + 3);
    if (i == 30) fleet_.members().push_back({.vm = VmId{77}, .demand = megabits(5)});
    if (i == 35) fleet_.members()[5].previous.reset();
    const auto [record, outcomes] = fleet_.next({kStart + i * kMinute}, 3);
    const auto decoded = decoder.decode(encoder.encode(record, outcomes));
    ASSERT_TRUE(decoded) << i << ": " << decoded.error().message;
    const auto& entry = decoded->record.entries.at(0);
    EXPECT_EQ(entry.round.members, record.entries[0].round.members) << i;
    EXPECT_EQ(entry.round.pools, record.entries[0].round.pools);
    EXPECT_EQ(entry.round.now, record.entries[0].round.now);
    EXPECT_EQ(entry.notes, record.entries[0].notes);
    EXPECT_EQ(entry.digest, record.entries[0].digest);
    EXPECT_EQ(decoded->outcomes, outcomes) << i;
    EXPECT_EQ(decoded->record.policy_version, 3u);
  }
}

TEST_F(AuditTest, ReplayGivesEveryRoundAgainAcrossSegmentsAndRestarts) {
  write(30, {}, 3 * kMinute);
  write(30, {}, 3 * kMinute);
  const auto report = replayed();
  EXPECT_EQ(report.records, 60u);
  EXPECT_EQ(report.decisions, 60u * 40);
  EXPECT_EQ(report.differing, 0u);
  EXPECT_THAT(report.fault, IsEmpty());
  EXPECT_GE(report.segments, 4u);
}

TEST_F(AuditTest, ReplayOfARangeSolvesThatRangeAlone) {
  write(25);
  const auto report = replay(folder_.path(), {{kStart + 10 * kMinute}, {kStart + 19 * kMinute}});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->records, 10u);
}

TEST_F(AuditTest, ADigestThatDoesNotFitIsADifference) {
  auto log = Log::open(folder_.path(), {});
  auto [record, outcomes] = fleet_.next({kStart}, 1);
  record.entries[0].digest[0] ^= 1;
  ASSERT_TRUE(log->append(record, outcomes));
  const auto report = replayed();
  EXPECT_EQ(report.differing, 1u);
  EXPECT_THAT(report.fault, HasSubstr("dpu0 egress"));
}

TEST_F(AuditTest, AChangedByteIsFoundAndNothingIsWrittenBehindIt) {
  write(10);
  spoil(1, 200);
  const auto report = verify(folder_.path());
  ASSERT_TRUE(report);
  EXPECT_THAT(report->fault, HasSubstr("a block was changed"));
  EXPECT_FALSE(Log::open(folder_.path(), {}));
}

TEST_F(AuditTest, ASegmentThatIsTakenAwayIsFound) {
  write(30, {}, 5 * kMinute);
  EXPECT_THAT(verify(folder_.path())->fault, IsEmpty());
  std::filesystem::remove(segment_path(folder_.path(), 2));
  EXPECT_THAT(verify(folder_.path())->fault, HasSubstr("does not follow"));
}

TEST_F(AuditTest, ABlockCutShortByACrashIsRemovedAndTheChainGoesOn) {
  write(10);
  const auto path = segment_path(folder_.path(), 1);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  write(10);
  const auto report = replayed();
  EXPECT_THAT(report.fault, IsEmpty());
  EXPECT_EQ(report.records, 19u);
}

TEST_F(AuditTest, WhatIsDeletedLeavesAnAnchorThatTheRestHangsOn) {
  write(30, {.retention_ns = 2 * 3'600 * kNanosPerSecond}, 10 * kMinute);
  EXPECT_LE(segments(folder_.path())->size(), 4u);
  const auto report = verify(folder_.path());
  EXPECT_THAT(report->fault, IsEmpty());
  EXPECT_NE(report->anchor, Hash{});
  ASSERT_TRUE(replace_file(folder_.path() / "anchor", "1 " + to_hex(Hash{}) + "\n"));
  EXPECT_THAT(verify(folder_.path())->fault, HasSubstr("does not follow"));
}

TEST_F(AuditTest, StaysWithinItsBytes) {
  write(60, {.segment_ns = 180 * kNanosPerSecond, .most_bytes = 12'000});
  EXPECT_LE(verify(folder_.path())->bytes, 16'000u);
  EXPECT_GE(segments(folder_.path())->size(), 3u);
  EXPECT_THAT(replayed().fault, IsEmpty());
}

TEST_F(AuditTest, FindsTheRecordThatHeldAtATime) {
  write(20, {}, 5 * kMinute);
  const auto found = record_at(folder_.path(), {kStart + 72 * kMinute});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->record.time.value, kStart + 70 * kMinute);
  EXPECT_EQ(record_at(folder_.path(), {kStart - 1}).error().code, ErrorCode::kNotFound);
}

TEST_F(AuditTest, DamagedBytesAreMalformedAndNeverMore) {
  Encoder encoder;
  const auto [record, outcomes] = fleet_.next({kStart}, 1);
  const auto bytes = encoder.encode(record, outcomes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Decoder decoder;
    EXPECT_FALSE(decoder.decode(std::string_view(bytes).substr(0, size)));
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    auto spoilt = bytes;
    spoilt[random() % spoilt.size()] = static_cast<char>(random());
    Decoder decoder;
    const auto decoded = decoder.decode(spoilt);
    EXPECT_LE(decoded ? decoded->record.entries.size() : 0, spoilt.size());
  }
}

// A demand changes every 5 minutes, a cycle comes every 10 s: what 1,000 VMs in both directions cost in a day.
TEST(AuditSize, AThousandVmsCostLessThan50MegabytesADay) {
  Fleet fleet(1'000);
  Encoder encoder;
  std::uint64_t bytes = 0;
  constexpr int kCycles = 90;
  for (int i = 0; i < kCycles; ++i) {
    const auto [record, outcomes] = fleet.next({kStart + i * 10 * 1'000'000'000ll}, 30);
    bytes += encoder.encode(record, outcomes).size() + 36;
  }
  const auto day = bytes * 2 * 8'640 / kCycles;
  EXPECT_LE(day, 50'000'000u);
  RecordProperty("bytes_per_day", std::to_string(day));
}

TEST(Counterfactual, IsTheAllocatorRunAgainWithThatOneInputChanged) {
  allocate::Round round{.capacity = megabits(100), .link = "dpu0 egress"};
  for (std::uint32_t vm = 1; vm <= 4; ++vm)
    round.members.push_back({.vm = VmId{vm}, .tier = 1, .weight = vm, .demand = megabits(60), .peak = megabits(60)});
  round.members[0].cap = megabits(5);
  round.members[1].guarantee = megabits(10);
  for (const std::uint32_t vm : {1u, 2u, 3u}) {
    const auto asked = counterfactuals(round, VmId{vm});
    EXPECT_GE(asked.size(), 2u);
    for (const auto& [change, other, outcome] : asked) {
      EXPECT_EQ(allocate::solve(other)->outcomes[vm - 1], outcome) << change;
      auto members = other.members;
      members[vm - 1] = round.members[vm - 1];
      EXPECT_EQ(members, round.members) << change;
      EXPECT_TRUE(other.members != round.members || other.capacity != round.capacity) << change;
    }
  }
  EXPECT_THAT(counterfactuals(round, VmId{1}).at(0).change, HasSubstr("without its cap of 5.00 Mbit/s"));
  EXPECT_GT(counterfactuals(round, VmId{1}).at(0).outcome.share.cir, megabits(5));
  EXPECT_THAT(counterfactuals(round, VmId{9}), IsEmpty());
}

}  // namespace
}  // namespace foreflow::audit
