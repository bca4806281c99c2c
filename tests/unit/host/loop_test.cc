// SPDX-License-Identifier: Apache-2.0
// Reports in, desired states out: ingest, forecast, allocation and fabric together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/manager_loop.h"

namespace foreflow {
namespace {

using ::testing::HasSubstr;

TEST(ManagerLoop, AnswersHelloWithVmsAndLimitsBeforeTheFirstReport) {
  ManagerLoop loop;
  loop.cycle.run_once();
  loop.sent.clear();
  ASSERT_TRUE(loop.hello());
  ASSERT_EQ(loop.sent.size(), 1u);
  EXPECT_EQ(loop.sent[0].vms.size(), 2u);
  EXPECT_EQ(loop.sent[0].uplinks.at(0).capacity[0], megabits(1000));
  ASSERT_NE(loop.police("db", Direction::kEgress), nullptr);
  EXPECT_EQ(loop.police("db", Direction::kEgress)->cir, megabits(200));
  EXPECT_LE(loop.police("web", Direction::kIngress)->pir, megabits(500));
}

TEST(ManagerLoop, KeepsTheReasonWhyThereIsNoAllocation) {
  auto fleet = small_fleet();
  fleet.vms[1].policy.guarantee.fill(megabits(5000));  // past what the configuration would accept
  ManagerLoop loop(model::Mode::kEnforce, fleet);
  loop.cycle.run_once();
  const auto plan = loop.cycle.plan();
  ASSERT_TRUE(plan->failures.contains("dpu0"));
  EXPECT_THAT(plan->failures.at("dpu0"), HasSubstr("guarantee"));
  EXPECT_TRUE(plan->decisions.empty());
}

TEST(ManagerLoop, RefusesADataplaneThatIsNotConfigured) {
  ManagerLoop loop;
  const auto refused = loop.hello("dpu9");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("'dpu9'"));
}

TEST(ManagerLoop, AllocatesWhatReportsLetExpect) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(300))));
  loop.cycle.run_once();
  const auto* police = loop.police("web", Direction::kEgress);
  ASSERT_NE(police, nullptr);
  EXPECT_GE(police->cir, megabits(300));
  EXPECT_LE(police->cir, megabits(400));
  EXPECT_LT(loop.police("web", Direction::kIngress)->cir, megabits(2));
  const auto decision = loop.cycle.plan()->decisions.at({loop.id("web"), Direction::kEgress});
  EXPECT_THAT(decision.why, HasSubstr("all it wants"));
}

TEST(ManagerLoop, NothingIsPushedWhileDemandStaysAsItIs) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(300))));
  loop.cycle.run_once();
  const auto pushes = loop.sent.size();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(300))));
  loop.cycle.run_once();
  EXPECT_EQ(loop.sent.size(), pushes);
}

TEST(ManagerLoop, NeverAllocatesMoreThanTheCap) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(800), true)));
  loop.cycle.run_once();
  EXPECT_EQ(loop.police("web", Direction::kEgress)->pir, megabits(500));
  EXPECT_LE(loop.police("web", Direction::kEgress)->cir, megabits(500));
}

TEST(ManagerLoop, AGuaranteeStandsWhileANeighbourFloods) {
  auto fleet = small_fleet();
  fleet.vms[0].policy.cap.fill(kUnlimited);
  ManagerLoop loop(model::Mode::kEnforce, fleet);
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(3000), true)));
  loop.cycle.run_once();
  EXPECT_EQ(loop.police("db", Direction::kEgress)->cir, megabits(200));
  EXPECT_LE(loop.police("web", Direction::kEgress)->cir, megabits(700));
  const auto decision = loop.cycle.plan()->decisions.at({loop.id("web"), Direction::kEgress});
  EXPECT_THAT(decision.why, HasSubstr("dpu0 egress"));
}

TEST(ManagerLoop, AVmThatIsLimitedForEverNeverGetsMoreThanTheUplinkAndAQuarter) {
  auto fleet = small_fleet();
  fleet.vms[0].policy.cap.fill(kUnlimited);
  ManagerLoop loop(model::Mode::kEnforce, fleet);
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(loop.deliver(loop.second("web", megabits(20), true)));
    loop.cycle.run_once();
    ASSERT_LE(loop.police("web", Direction::kEgress)->pir, megabits(1250)) << "in cycle " << i;
  }
}

TEST(ManagerLoop, ALimitedVmWantsMoreThanItHadBeforeTheRestart) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(100), true)));
  wire::Police had{.vm = loop.id("web"), .cir = megabits(150), .pir = megabits(200)};
  loop.cycle.remember({.device = "dpu0", .limits = {{had, {}, megabits(500)}}});
  loop.cycle.run_once();
  EXPECT_EQ(loop.police("web", Direction::kEgress)->cir, megabits(250));
}

TEST(ManagerLoop, AHeldLimitOutlivesARestart) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(300))));
  loop.cycle.run_once();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(30))));
  loop.cycle.run_once();
  const auto held = loop.police("web", Direction::kEgress)->cir;
  ASSERT_GE(held, megabits(300));
  app::Cycle restarted({loop.rosters, loop.store, loop.forecasts, loop.live, loop.actuator, loop.clock},
                       {.hold_ns = 600 * kNanosPerSecond}, model::Mode::kEnforce);
  restarted.remember(loop.installed.target);
  restarted.run_once();
  EXPECT_EQ(loop.police("web", Direction::kEgress)->cir, held);
}

TEST(ManagerLoop, OtherModesSendVmsWithoutLimits) {
  for (const auto mode : {model::Mode::kObserve, model::Mode::kRecommend}) {
    ManagerLoop loop(mode);
    ASSERT_TRUE(loop.hello());
    loop.cycle.run_once();
    ASSERT_EQ(loop.sent.size(), 1u);
    EXPECT_EQ(loop.sent[0].vms.size(), 2u);
    EXPECT_TRUE(loop.sent[0].intents.empty());
    EXPECT_EQ(loop.store.count(store::Measurement::kVmAlloc), mode == model::Mode::kObserve ? 0u : 4u);
  }
}

TEST(ManagerLoop, AReportSentAgainCountsOnce) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  const auto report = loop.second("web", megabits(100));
  ASSERT_TRUE(loop.deliver(report));
  ASSERT_TRUE(loop.deliver(report));
  EXPECT_EQ(loop.live.vm(loop.id("web"))->totals[0].offered_bytes, megabits(100).value);
  EXPECT_EQ(loop.live.dataplane("dpu0").duplicate_reports, 1u);
  EXPECT_EQ(loop.store.count(store::Measurement::kVmNet), 1u);
}

TEST(ManagerLoop, AReportOfAnEarlierBootIsNoDuplicate) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  ASSERT_TRUE(loop.ingest.on_report("dpu0", 2, loop.second("web", megabits(100))));
  auto older = loop.second("web", megabits(100));
  older.sequence = 1;
  ASSERT_TRUE(loop.ingest.on_report("dpu0", 1, older));
  ASSERT_TRUE(loop.ingest.on_report("dpu0", 1, older));
  EXPECT_EQ(loop.live.dataplane("dpu0").reports, 2u);
  EXPECT_EQ(loop.live.dataplane("dpu0").duplicate_reports, 1u);
}

TEST(ManagerLoop, WhatTheStoreCannotTakeNowIsNotAcknowledged) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  const auto report = loop.second("web", megabits(100));
  loop.store.refusal = Error{ErrorCode::kExhausted, "disk full"};
  loop.store.refuse_empty = true;
  EXPECT_EQ(loop.deliver(report).error().code, ErrorCode::kExhausted);
  EXPECT_FALSE(loop.live.vm(loop.id("web")));
  loop.store.refusal.reset();
  ASSERT_TRUE(loop.deliver(report));
  EXPECT_TRUE(loop.live.vm(loop.id("web")));
}

TEST(ManagerLoop, WhatTheStoreCanNeverTakeIsPassedOverAndCounted) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  loop.store.refusal = Error{ErrorCode::kMalformed, "no such field"};
  const auto report = loop.second("web", megabits(100));
  ASSERT_TRUE(loop.deliver(report));
  loop.store.refusal.reset();
  ASSERT_TRUE(loop.deliver(report));
  EXPECT_EQ(loop.live.dataplane("dpu0").rejected_reports, 1u);
  EXPECT_EQ(loop.live.dataplane("dpu0").duplicate_reports, 1u);
}

TEST(ManagerLoop, AReportFromTheFutureWaitsInTheDataplaneUntilTheClocksAgree) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  auto report = loop.second("web", megabits(100));
  report.time.value += 3'600 * static_cast<std::int64_t>(kNanosPerSecond);
  EXPECT_EQ(loop.deliver(report).error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(loop.live.dataplane("dpu0").report_error, HasSubstr("3600 s ahead of this manager's clock"));
  EXPECT_EQ(loop.store.count(store::Measurement::kVmNet), 0u);
  loop.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(loop.deliver(report));
  EXPECT_EQ(loop.live.dataplane("dpu0").report_error, "");
  EXPECT_EQ(loop.store.count(store::Measurement::kVmNet), 1u);
}

TEST(ManagerLoop, AnUnknownVmIsLeftOutAndTheOthersAreKept) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  auto report = loop.second("web", megabits(100));
  report.vms.push_back({.vm = VmId{4711}});
  ASSERT_TRUE(loop.deliver(report));
  EXPECT_EQ(loop.store.count(store::Measurement::kVmNet), 1u);
  EXPECT_FALSE(loop.live.vm(VmId{4711}));
  EXPECT_EQ(loop.live.dataplane("dpu0").unknown_vm_samples, 1u);
}

TEST(ManagerLoop, ARemovedVmIsForgotten) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  ASSERT_TRUE(loop.deliver(loop.second("web", megabits(100))));
  ASSERT_TRUE(loop.deliver(loop.second("db", megabits(100))));
  const auto web = loop.id("web");
  auto fleet = small_fleet();
  fleet.vms.erase(fleet.vms.begin());
  ASSERT_TRUE(loop.rosters.load(fleet));
  loop.cycle.run_once();
  EXPECT_FALSE(loop.forecasts.predict(web, Direction::kEgress, loop.clock.now()));
  EXPECT_TRUE(loop.forecasts.predict(loop.id("db"), Direction::kEgress, loop.clock.now()));
}

TEST(ManagerLoop, KeepsTheFirstForecastOfAnInterval) {
  ManagerLoop loop;
  ASSERT_TRUE(loop.hello());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(loop.deliver(loop.second("web", megabits(100))));
  loop.cycle.run_once();
  const auto kept = loop.store.count(store::Measurement::kVmForecast);
  EXPECT_GT(kept, 0u);
  loop.cycle.run_once();
  EXPECT_EQ(loop.store.count(store::Measurement::kVmForecast), kept);
}

}  // namespace
}  // namespace foreflow
