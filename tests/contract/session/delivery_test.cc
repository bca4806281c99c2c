// SPDX-License-Identifier: Apache-2.0
// What is published arrives once in effect, whatever happens to either side.
#include <fstream>

#include "common/wire/compress.h"
#include "dataplane/telemetry/spool.h"
#include "tests/contract/session/fixture.h"

namespace foreflow::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Stored = RecordingHandler::Stored;

class Delivery : public SessionTest {};

TEST_F(Delivery, AReportIsDeliveredAndAcknowledged) {
  start_manager();
  const auto session = dataplane();
  publish(*session, 1, 3);
  ASSERT_TRUE(session->flush(seconds(20)));
  EXPECT_TRUE(session->connected());
  EXPECT_EQ(session->last_error(), "");
  EXPECT_EQ(session->unacknowledged(), 0u);
  EXPECT_THAT(handler_.stored(), ElementsAre(Stored{"dp1", 1, 1, 1}, Stored{"dp1", 1, 2, 2}, Stored{"dp1", 1, 3, 3}));
}

TEST_F(Delivery, TheManagerSeesHowWellAReportWasCompressed) {
  start_manager();
  const auto session = dataplane();
  auto large = report(1);
  large.vms.resize(100);
  for (std::uint32_t i = 0; i < 100; ++i) large.vms[i].vm = VmId{i + 1};
  const auto sent = wire::compress(large, 1);
  ASSERT_TRUE(sent);
  session->publish(large);
  ASSERT_TRUE(session->flush(seconds(20)));
  const auto received = handler_.received();
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_GT(received[0].compressed, 0u);
  EXPECT_LT(received[0].compressed, received[0].raw);
  // The session numbers reports, which may cost a byte.
  EXPECT_NEAR(static_cast<double>(received[0].raw), sent->raw_size, 4);
}

TEST_F(Delivery, NothingIsLostOrDoubledWhileTheManagerComesAndGoes) {
  start_manager();
  const auto session = dataplane();
  std::int64_t time = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 25; ++i, std::this_thread::sleep_for(milliseconds(2))) session->publish(report(++time));
    stop_manager();
    for (int i = 0; i < 25; ++i) session->publish(report(++time));
    start_manager();
  }
  ASSERT_TRUE(session->flush(seconds(20))) << session->last_error();
  const auto stored = handler_.stored();
  ASSERT_THAT(stored, SizeIs(200));
  for (std::size_t i = 0; i < stored.size(); ++i)
    EXPECT_EQ(stored[i], (Stored{"dp1", 1, i + 1, static_cast<std::int64_t>(i + 1)}));
  EXPECT_EQ(handler_.gaps(), 0);
  EXPECT_EQ(session->dropped_reports(), 0u);
}

TEST_F(Delivery, AReportThatWasNotStoredComesAgain) {
  start_manager();
  handler_.answer_reports(fail(ErrorCode::kUnavailable, "disk full"));
  const auto session = dataplane();
  publish(*session, 1, 2);
  ASSERT_TRUE(eventually([&] { return handler_.calls() >= 2; }));
  EXPECT_FALSE(session->flush(milliseconds(50)));
  ASSERT_TRUE(eventually([&] { return session->last_error().find("disk full") != std::string::npos; }));
  handler_.answer_reports({});
  ASSERT_TRUE(session->flush(seconds(20)));
  EXPECT_THAT(handler_.stored(), ElementsAre(Stored{"dp1", 1, 1, 1}, Stored{"dp1", 1, 2, 2}));
}

TEST_F(Delivery, AReportThatCanNeverBeStoredIsGivenUpAndCounted) {
  start_manager();
  handler_.answer_reports(fail(ErrorCode::kMalformed, "no such field"));
  const auto session = dataplane();
  publish(*session, 1, 1);
  ASSERT_TRUE(session->flush(seconds(20)));
  EXPECT_EQ(session->dropped_reports(), 1u);
  handler_.answer_reports({});
  publish(*session, 2, 2);
  ASSERT_TRUE(session->flush(seconds(20)));
  EXPECT_THAT(handler_.stored(), ElementsAre(Stored{"dp1", 1, 2, 2}));
}

TEST_F(Delivery, ARestartedDataplaneDeliversTheReportsOfItsFormerLifeFirst) {
  start_manager();
  stop_manager();
  {
    const auto session = dataplane("dp1", 11);
    publish(*session, 1, 3);
    ASSERT_TRUE(eventually([&] { return session->unacknowledged() == 3; }));
  }
  const auto session = dataplane("dp1", 12);
  EXPECT_EQ(session->unacknowledged(), 3u);
  publish(*session, 4, 5);
  start_manager();
  ASSERT_TRUE(session->flush(seconds(20))) << session->last_error();
  EXPECT_THAT(handler_.stored(), ElementsAre(Stored{"dp1", 11, 1, 1}, Stored{"dp1", 11, 2, 2}, Stored{"dp1", 11, 3, 3},
                                             Stored{"dp1", 12, 1, 4}, Stored{"dp1", 12, 2, 5}));
}

TEST_F(Delivery, AFullSpoolDropsTheOldestAndTheManagerHearsHowMany) {
  start_manager();
  stop_manager();
  auto small = config();
  small.spool_size = Bytes{64u << 10};
  const auto session = dataplane(small);
  for (std::int64_t time = 1; time <= 2'000; ++time) {
    session->publish(report(time));
    if (time % 20 == 0) std::this_thread::sleep_for(milliseconds(1));  // the queue before the spool is short
  }
  ASSERT_TRUE(eventually([&] { return session->dropped_reports() + session->unacknowledged() == 2'000; }));
  ASSERT_GT(session->dropped_reports(), 0u);
  start_manager();
  ASSERT_TRUE(session->flush(seconds(20))) << session->last_error();
  const auto stored = handler_.stored();
  EXPECT_EQ(stored.size() + session->dropped_reports(), 2'000u);
  EXPECT_EQ(stored.back().time, 2'000);
  publish(*session, 2'001, 2'001);  // speaks of what was lost after the last of them
  ASSERT_TRUE(session->flush(seconds(20))) << session->last_error();
  EXPECT_EQ(handler_.announced_lost(), session->dropped_reports());
}

// Each is the last of its boot: an acknowledgement of a later boot's reports has to pass it.
TEST_F(Delivery, ReportsThatCannotBeReadOrSentAreCountedAndHoldNothingUp) {
  start_manager();
  stop_manager();
  const auto directory = config().spool_directory;
  {
    auto spool = *telemetry::Spool::open(directory, Bytes{64u << 20});
    for (const std::uint64_t boot : {10, 11})
      for (std::int64_t i = 1; i <= 2; ++i) {
        auto made = report(i);
        made.sequence = static_cast<std::uint64_t>(i);
        auto compressed = *wire::compress(made, boot);
        if (boot == 10 && i == 2) compressed.raw_size = UINT32_MAX;  // more than the manager accepts
        ASSERT_TRUE(spool.append(compressed));
      }
  }
  const auto session = dataplane("dp1", 12);
  std::fstream file(directory / "segment-0000000000000001", std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-1, std::ios::end);
  const auto last = static_cast<char>(file.peek() ^ 1);
  file.seekp(-1, std::ios::end).put(last);
  file.close();
  ASSERT_TRUE(file);
  publish(*session, 3, 62);  // more than may be in flight
  start_manager();
  ASSERT_TRUE(session->flush(seconds(20))) << session->unacknowledged();
  EXPECT_EQ(session->dropped_reports(), 2u);
  publish(*session, 63, 63);
  ASSERT_TRUE(session->flush(seconds(20)));
  EXPECT_THAT(handler_.stored(), SizeIs(2 + 60 + 1));
  EXPECT_EQ(handler_.announced_lost(), 2u);
}

TEST_F(Delivery, TheNewestDesiredStateWinsAndIsTakenOnce) {
  start_manager();
  const auto session = dataplane();
  ASSERT_TRUE(eventually([&] { return session->connected(); }));
  for (std::uint64_t generation = 1; generation <= 5; ++generation) {
    wire::DesiredState desired{.generation = Generation{generation}};
    desired.vms.push_back(wire::VmSpec{.id = VmId{1}, .name = "web"});
    ASSERT_TRUE(manager_->send("dp1", desired));
  }
  wire::DesiredState last;
  ASSERT_TRUE(eventually([&] {
    if (const auto desired = session->take_desired()) last = *desired;
    return last.generation == Generation{5};
  }));
  EXPECT_EQ(last.vms.at(0).name, "web");
  EXPECT_FALSE(session->take_desired());
}

TEST_F(Delivery, ADesiredStateForNobodyOrWithAFaultIsRefusedAtOnce) {
  start_manager();
  EXPECT_EQ(manager_->send("dp1", {}).error().code, ErrorCode::kNotFound);
  wire::DesiredState wrong;
  wrong.intents.push_back(wire::Intent{.what = wire::Police{.cir = {2}, .pir = {1}}});
  const auto refused = manager_->send("dp1", wrong);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("desired_state.intents[0].police.pir"));
}

TEST_F(Delivery, TheLastAppliedIsToldToEveryNewSessionAndHelloIsOfNow) {
  start_manager();
  const auto session = dataplane();
  session->publish(wire::Applied{.generation = Generation{1}});
  session->publish(wire::Applied{.generation = Generation{2}, .results = {wire::IntentResult{.reason = "table full"}}});
  session->publish(wire::Event{.kind = "port_down", .text = "web"});
  ASSERT_TRUE(eventually([&] { return !handler_.applied().empty() && handler_.events().size() >= 2; }));
  EXPECT_EQ(handler_.events()[1], "port_down web");
  session->update_hello(wire::Hello{.dataplane = "other", .version = "1", .applied = Generation{2}});
  stop_manager();
  const auto before = handler_.applied().size();
  start_manager();
  ASSERT_TRUE(eventually([&] { return handler_.applied().size() > before; }));
  EXPECT_EQ(handler_.applied().back().results.at(0).reason, "table full");
  EXPECT_EQ(handler_.hellos().back().applied, Generation{2});
  EXPECT_EQ(handler_.hellos().back().dataplane, "dp1") << "the identity stays";
  EXPECT_EQ(handler_.hellos().back().boot_id, 1u);
}

TEST_F(Delivery, ASlowDataplaneDoesNotHoldUpAnother) {
  start_manager();
  handler_.delay("dp1", seconds(3));
  const auto slow = dataplane("dp1");
  publish(*slow, 1, 1);
  ASSERT_TRUE(eventually([&] { return handler_.calls() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  const auto quick = dataplane("dp2");
  publish(*quick, 1, 20);
  ASSERT_TRUE(quick->flush(seconds(20)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
  handler_.delay("dp1", {});
  EXPECT_TRUE(slow->flush(seconds(20)));
}

TEST_F(Delivery, ANewerSessionOfADataplaneReplacesTheOlder) {
  start_manager();
  const auto older = dataplane("dp1", 1);
  ASSERT_TRUE(eventually([&] { return older->connected(); }));
  auto other = config();
  other.spool_directory = directory_ / "other";
  const auto newer = dataplane(other, "dp1", 2);
  ASSERT_TRUE(eventually([&] { return handler_.events().size() >= 3; }));
  const auto events = handler_.events();
  EXPECT_THAT(std::vector(events.begin(), events.begin() + 3), ElementsAre("hello dp1", "disconnect dp1", "hello dp1"));
}

TEST_F(Delivery, AUnixSocketServesAsWell) {
  address_ = "unix:" + (directory_ / "link").string();
  start_manager();
  EXPECT_EQ(manager_->port(), 0);
  const auto session = dataplane();
  publish(*session, 1, 1);
  ASSERT_TRUE(session->flush(seconds(20))) << session->last_error();
  auto named = config("dp2");
  named.server_name = "foreflowd";
  const auto second = dataplane(named, "dp2");
  ASSERT_TRUE(eventually([&] { return second->connected(); })) << second->last_error();
}

TEST_F(Delivery, TheManagerStopsInBoundedTimeWithSessionsOpen) {
  start_manager();
  const auto session = dataplane();
  ASSERT_TRUE(eventually([&] { return session->connected(); }));
  const auto begin = std::chrono::steady_clock::now();
  stop_manager();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  ASSERT_TRUE(eventually([&] { return !session->connected(); }));
  EXPECT_NE(session->last_error(), "");
}

}  // namespace
}  // namespace foreflow::test
