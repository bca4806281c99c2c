// SPDX-License-Identifier: Apache-2.0
// Rounds of CPU and memory in the audit: beside those of uplinks, solved again bit for bit, small enough.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/app/audit_trail.h"
#include "host/audit/counterfactual.h"
#include "host/audit/log.h"
#include "host/audit/reader.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::app {
namespace {

using audit::Subject;
using model::GuestResource;
using ::testing::HasSubstr;

constexpr std::int64_t kStart = 1'800'000'000'000'000'000;
constexpr std::int64_t kPeriod = 10 * static_cast<std::int64_t>(kNanosPerSecond);
constexpr std::uint64_t kCpu = 1'000'000;
constexpr std::uint64_t kMib = 1ull << 20;

// A host whose guests use now more and now less, balloons follow, and which decides every ten seconds.
class Host {
 public:
  explicit Host(std::uint32_t vms) : domains_(vms), used_(vms) {
    fleet_ = small_fleet();
    fleet_.vms.resize(vms, fleet_.vms[0]);
    for (std::uint32_t i = 0; i < vms; ++i) {
      auto& vm = fleet_.vms[i];
      vm.id = VmId{i + 1};
      vm.policy.cpu = model::GuestShare{.guarantee = kCpu / 2};
      vm.policy.memory = model::GuestShare{.weight = 1 + i % 3};
      domains_[i].vcpus = 2;
      domains_[i].vcpus_maximum = 4;
      domains_[i].memory = {.current = {2'048 * kMib}, .maximum = {4'096 * kMib}};
      used_[i] = {1'024 * kMib, 1'024 * kMib, {kCpu, 900 * kMib}};
    }
    node_ = {2 * vms, Bytes{std::uint64_t{vms} * 3'072 * kMib}};
  }

  const std::vector<GuestRan>& next(UnixNanos now) {
    for (auto& [usual, in_use, demand] : used_) {
      if (random_() % 180 == 0) usual = (512 + random_() % 1'024) * kMib;  // every half hour
      in_use = usual + random_() % (20 * kMib);
      if (random_() % 30 == 0) demand = {random_() % (3 * kCpu), usual + random_() % (256 * kMib)};
    }
    GuestRequest request{.fleet = fleet_, .host = "node1", .node = node_, .now = now};
    for (std::size_t i = 0; i < domains_.size(); ++i)
      request.guests.push_back({&fleet_.vms[i], &domains_[i], Bytes{used_[i].in_use}, i % 4 != 0});
    request.forecast = [&](VmId vm, GuestResource resource) {
      forecast::Forecast forecast;
      forecast.quantiles.model = "seasonal";
      forecast.quantiles.values = Eigen::ArrayXXd::Zero(12, predictor::kQuantiles.size());
      forecast.so_far = forecast.last = {used_[vm.value - 1].demand[static_cast<std::size_t>(resource)]};
      return std::optional(forecast);
    };
    auto planned = planner_.plan(request);
    EXPECT_TRUE(planned.failures.empty());
    for (const auto& [key, decision] : planned.decisions)
      if (key.second == GuestResource::kMemory && decision.enforced)
        domains_[key.first.value - 1].memory.current = {decision.limit};
    ran_ = std::move(planned.ran);
    return ran_;
  }
  const model::Fleet& fleet() const { return fleet_; }

 private:
  struct Used {
    std::uint64_t usual = 0;
    std::uint64_t in_use = 0;
    std::array<std::uint64_t, 2> demand{};
  };
  model::Fleet fleet_;
  std::vector<guest::Domain> domains_;
  std::vector<Used> used_;
  guest::Node node_;
  GuestPlanner planner_{model::AllocationSettings{}};
  std::vector<GuestRan> ran_;
  std::mt19937_64 random_{3};
};

audit::Record record_of(const std::vector<GuestRan>& ran, UnixNanos time,
                        std::vector<std::vector<allocate::Outcome>>& outcomes) {
  audit::Record record{time, 1, {}};
  for (const auto& [entry, outcome] : ran) {
    record.entries.push_back(entry);
    outcomes.push_back(outcome);
  }
  return record;
}

TEST(GuestAudit, WhatWasWrittenComesBackBitForBit) {
  Host host(20);
  audit::Encoder encoder;
  audit::Decoder decoder;
  for (int i = 0; i < 300; ++i) {
    const UnixNanos now{kStart + i * kPeriod};
    std::vector<std::vector<allocate::Outcome>> outcomes;
    const auto record = record_of(host.next(now), now, outcomes);
    ASSERT_EQ(record.entries.size(), 2u);
    const auto decoded = decoder.decode(encoder.encode(record, outcomes));
    ASSERT_TRUE(decoded) << decoded.error().message;
    for (std::size_t k = 0; k < 2; ++k) {
      const auto& is = decoded->record.entries[k];
      const auto& was = record.entries[k];
      EXPECT_EQ(is.device, "node1");
      EXPECT_EQ(is.subject, was.subject);
      EXPECT_EQ(is.round.members, was.round.members);
      EXPECT_EQ(is.round.damping, was.round.damping);
      EXPECT_EQ(is.notes, was.notes);
      EXPECT_EQ(decoded->outcomes[k], outcomes[k]);
      EXPECT_EQ(audit::digest_of(decoded->outcomes[k]), is.digest);
    }
  }
}

TEST(GuestAudit, ADayOfAThousandVmsIsSmallAndReplaysIdentically) {
  constexpr std::uint32_t kVms = 100;
  constexpr int kRounds = 360;  // an hour: a segment
  test::TemporaryDirectory folder;
  auto log = audit::Log::open(folder.path(), {});
  ASSERT_TRUE(log);
  Host host(kVms);
  for (int i = 0; i < kRounds; ++i) {
    const UnixNanos now{kStart + i * kPeriod};
    std::vector<std::vector<allocate::Outcome>> outcomes;
    const auto record = record_of(host.next(now), now, outcomes);
    ASSERT_TRUE(log->append(record, outcomes));
  }
  const auto report = audit::replay(folder.path(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->fault, "");
  EXPECT_EQ(report->decisions, std::uint64_t{kRounds} * kVms * 2);
  const auto day = report->bytes * (8'640 / kRounds) * (1'000 / kVms);
  RecordProperty("bytes_per_day", std::to_string(day));
  EXPECT_LT(day, 25u << 20) << "bytes";
}

TEST(GuestAudit, ARecordWithoutAHostKeepsWhatTheHostSaidBefore) {
  test::TemporaryDirectory folder;
  auto log = audit::Log::open(folder.path(), {});
  ASSERT_TRUE(log);
  Host host(3);
  std::vector<std::vector<allocate::Outcome>> outcomes;
  const auto record = record_of(host.next({kStart}), {kStart}, outcomes);
  ASSERT_TRUE(log->append(record, outcomes));
  ASSERT_TRUE(log->append({{kStart + kPeriod}, 1, {}}, {}));
  const auto found = audit::record_at(folder.path(), {kStart + kPeriod});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record.time, UnixNanos{kStart + kPeriod});
  ASSERT_EQ(found->record.entries.size(), 2u);
  EXPECT_EQ(found->record.entries[1].subject, Subject::kMemory);
  EXPECT_EQ(found->record.entries[1].round.now, UnixNanos{kStart});
}

TEST(GuestAudit, ACounterfactualIsTheRoundSolvedAgainWithThatOneChange) {
  Host host(5);
  const auto ran = host.next({kStart});
  const auto& round = ran[1].entry.round;
  const auto asked = audit::counterfactuals(round, VmId{2}, audit::text_of(Subject::kMemory));
  ASSERT_FALSE(asked.empty());
  EXPECT_THAT(asked[0].change, HasSubstr("without its cap of 4.29 GB"));
  for (const auto& [change, other, outcome] : asked) {
    const auto solved = allocate::solve(other);
    ASSERT_TRUE(solved);
    EXPECT_EQ(solved->outcomes[1], outcome) << change;
    EXPECT_TRUE(outcome.damped) << "a balloon follows slowly in any case";
  }
}

TEST(GuestAudit, AnUnknownSubjectOrAnOlderFormatWithGuestsIsMalformed) {
  Host host(2);
  std::vector<std::vector<allocate::Outcome>> outcomes;
  const auto record = record_of(host.next({kStart}), {kStart}, outcomes);
  auto bytes = audit::Encoder().encode(record, outcomes);
  ASSERT_EQ(bytes[0], 3);
  EXPECT_TRUE(audit::Decoder().decode(bytes));
  bytes[0] = 2;
  EXPECT_EQ(audit::Decoder().decode(bytes).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace foreflow::app
