// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fake_hypervisor.h"
#include "tests/unit/host/fleet_fixture.h"
#include "tests/unit/host/memory_store.h"

namespace foreflow::app {
namespace {

using store::Measurement;
using namespace std::chrono_literals;

class GuestReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    state_ = *store::StateStore::open(folder_ / "state.db");
    rosters_ = std::make_unique<Rosters>(*state_, clock_);
    ASSERT_TRUE(rosters_->load(small_fleet()));
    host_.domains = {{.uuid = "u1", .name = "guest-web", .id = 1, .macs = {small_fleet().vms[0].attachments[0].mac}}};
    reader_ = std::make_unique<GuestReader>(
        model::Hypervisor{"node1", "fake:///", 5 * kNanosPerSecond},
        GuestReader::Parts{*rosters_, store_, view_, clock_},
        GuestReader::Hooks{.open = [this](const std::string&) { return host_.open(); },
                           .stored = [this](const auto& points) { durable_ += points.size(); },
                           .sampled = [this](const auto& sample) { sampled_.push_back(sample); },
                           .read = [](const GuestReading&) {}});
  }

  // A reading five seconds later, in which the domain was busy for one of them.
  std::uint64_t step() {
    clock_.advance(5s);
    for (auto& domain : host_.domains) domain.cpu_ns += kNanosPerSecond;
    return reader_->step();
  }
  VmId web() const { return rosters_->current()->vm("web")->id; }
  model::HypervisorLive live() const { return view_.hypervisor("node1"); }

  test::TemporaryDirectory folder_;
  ManualClock clock_{UnixNanos{1'700'000'000'000'000'000}};
  std::unique_ptr<store::StateStore> state_;
  std::unique_ptr<Rosters> rosters_;
  MemoryStore store_;
  GuestView view_;
  FakeHost host_;
  std::size_t durable_ = 0;
  std::vector<model::GuestSample> sampled_;
  std::unique_ptr<GuestReader> reader_;
};

TEST_F(GuestReaderTest, StoresAndShowsWhatHappenedBetweenReadings) {
  EXPECT_EQ(step(), 5 * kNanosPerSecond);
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 0u) << "one reading alone says nothing";
  step();
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 1u);
  EXPECT_EQ(durable_, 1u);
  ASSERT_EQ(sampled_.size(), 1u);
  EXPECT_EQ(sampled_[0].vm, web());
  const auto shown = view_.guest(web());
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->sample.cpu_ns, kNanosPerSecond);
  EXPECT_EQ(shown->domain, "guest-web");
  EXPECT_EQ(live().cpus, 8u);
}

TEST_F(GuestReaderTest, ADaemonThatIsAwayIsAskedLessAndLessOften) {
  host_.refusal = Error{ErrorCode::kUnavailable, "fake:///: nobody there"};
  std::vector<std::uint64_t> delays;
  delays.reserve(8);
  for (int i = 0; i < 8; ++i) delays.push_back(step() / kNanosPerSecond);
  EXPECT_THAT(delays, ::testing::ElementsAre(1, 2, 4, 8, 16, 32, 60, 60));
  EXPECT_FALSE(live().connected);
  EXPECT_EQ(live().error, "fake:///: nobody there");
  host_.refusal.reset();
  EXPECT_EQ(step(), 5 * kNanosPerSecond);
  EXPECT_TRUE(live().connected);
  EXPECT_EQ(live().error, "");
  host_.refusal = Error{ErrorCode::kUnavailable, "gone again"};
  EXPECT_EQ(step(), kNanosPerSecond) << "the back-off begins anew";
}

TEST_F(GuestReaderTest, NothingIsLostWhenTheConnectionBreaks) {
  step();
  host_.refusal = Error{ErrorCode::kUnavailable, "broken"};
  step();
  host_.refusal.reset();
  step();
  EXPECT_EQ(host_.connections, 2);
  ASSERT_EQ(sampled_.size(), 1u);
  EXPECT_EQ(sampled_[0].cpu_ns, 2 * kNanosPerSecond);
  EXPECT_EQ(sampled_[0].interval_ns, 10 * kNanosPerSecond);
}

TEST_F(GuestReaderTest, ASlowReadingIsOfTheTimeWhenItBegan) {
  host_.after_totals = [this] { clock_.advance(4s); };
  step();
  host_.after_totals = nullptr;
  step();
  ASSERT_EQ(sampled_.size(), 1u);
  EXPECT_EQ(sampled_[0].interval_ns, 9 * kNanosPerSecond);
}

TEST_F(GuestReaderTest, WhatTheStoreDoesNotTakeComesWithTheNextReading) {
  step();
  store_.refusal = Error{ErrorCode::kUnavailable, "disk away"};
  step();
  step();
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 0u);
  EXPECT_EQ(durable_, 0u);
  store_.refusal.reset();
  step();
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 3u);
  EXPECT_EQ(durable_, 3u);
  EXPECT_EQ(live().lost_points, 0u);
}

TEST_F(GuestReaderTest, PointsThatCanNeverBeStoredAreCountedAsLost) {
  step();
  store_.refusal = Error{ErrorCode::kMalformed, "no"};
  step();
  store_.refusal.reset();
  step();
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 1u);
  EXPECT_EQ(live().lost_points, 1u);
}

TEST_F(GuestReaderTest, DomainsThatAreNoVmAreNamedAndNotStored) {
  host_.domains.push_back({.uuid = "u9", .name = "stranger"});
  step();
  step();
  EXPECT_EQ(store_.count(Measurement::kVmGuest), 1u);
  EXPECT_THAT(live().unknown, ::testing::ElementsAre("stranger"));
  EXPECT_EQ(live().domains, 2u);
}

}  // namespace
}  // namespace foreflow::app
