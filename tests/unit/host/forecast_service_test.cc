// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "host/forecast/service.h"

namespace foreflow::forecast {
namespace {

constexpr std::int64_t kSecond = kNanosPerSecond;
constexpr VmId kVm{7};
constexpr auto kTx = Direction::kEgress;

// Intervals of 10 s, a "day" of 24 of them; times in seconds.
class Service : public ::testing::Test {
 protected:
  static ForecastConfig config() {
    return {.interval_ns = 10 * kNanosPerSecond, .horizon = 6, .season = 24, .history = 240, .reselect_every = 4};
  }
  void report(std::int64_t end, std::uint64_t bytes, bool limited = false, VmId vm = kVm) {
    service_.observe(vm, kTx, {end * kSecond}, kSecond, bytes, limited);
  }
  // One report a second in (from, to].
  void steady(std::int64_t from, std::int64_t to, std::uint64_t bytes, bool limited = false) {
    for (std::int64_t s = from + 1; s <= to; ++s) report(s, bytes, limited);
  }
  std::optional<Forecast> forecast(std::int64_t now) { return service_.predict(kVm, kTx, {now * kSecond}); }

  ForecastService service_{config()};
};

TEST_F(Service, KnowsNothingBeforeTheFirstSample) { EXPECT_FALSE(forecast(1'000)); }

TEST_F(Service, ForecastsFromTheFirstSampleOn) {
  report(1'001, 500);
  const auto first = forecast(1'001);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->last, BytesPerSecond{500});
  EXPECT_EQ(first->so_far, BytesPerSecond{500});
  EXPECT_EQ(first->quantiles.values.minCoeff(), 500);
  EXPECT_THAT(first->reason, ::testing::HasSubstr("too little history"));
}

TEST_F(Service, FollowsTheFirstIntervalWhileItIsBeingFilled) {
  report(1'001, 500);
  forecast(1'001);
  report(1'002, 900);
  EXPECT_EQ(forecast(1'002)->quantiles.values.minCoeff(), 900);
}

TEST_F(Service, MakesTheForecastForTheIntervalInProgressAndThoseAfterIt) {
  steady(1'000, 1'015, 500);
  const auto forecast = this->forecast(1'015);
  EXPECT_EQ(forecast->made_at, UnixNanos{1'010 * kSecond});
  EXPECT_EQ(forecast->step_ns, 10 * kNanosPerSecond);
  EXPECT_EQ(forecast->quantiles.horizon(), 6);
}

TEST_F(Service, WantsWhatTheLawSaysOnceItIsKnown) {
  for (std::int64_t interval = 0; interval < 100; ++interval)
    steady(1'000 + 10 * interval, 1'010 + 10 * interval, interval == 60 ? 9'000 : 500);
  const auto without = forecast(2'000);
  EXPECT_FALSE(without->by_law[2]);
  EXPECT_EQ(without->want(.95), without->demand(.95, Forecast::kWantLeads));

  service_.use_law({.knobs = {std::nullopt, 5, 10, 17, 24}, .about = "by a law of this test"});
  const auto lawful = forecast(2'000);
  EXPECT_FALSE(lawful->by_law[0]);
  EXPECT_EQ(lawful->want(.5), lawful->demand(.5, Forecast::kWantLeads)) << "of which the law says nothing";
  EXPECT_THAT(lawful->reason, ::testing::EndsWith("; by a law of this test"));
  for (const double quantile : {.9, .95, .99})
    EXPECT_LE(lawful->want(quantile), lawful->want(quantile + .009)) << quantile;
  EXPECT_EQ(lawful->want(.97), lawful->want(.99)) << "the next higher one";
  EXPECT_GT(lawful->want(.999).value, 9'000u) << "the highest of the last weeks counts for the strictest";
  EXPECT_LT(lawful->want(.9).value, 9'000u);
  EXPECT_EQ(lawful->demand(.95, 2), without->demand(.95, 2)) << "quantiles stay what they are";

  report(2'001, 50'000);
  EXPECT_EQ(forecast(2'001)->want(.9), BytesPerSecond{50'000}) << "what is seen is sure";
}

TEST_F(Service, TellsTheLastIntervalFromTheOneInProgress) {
  steady(1'000, 1'010, 500);
  steady(1'010, 1'015, 800);
  EXPECT_EQ(forecast(1'015)->last, BytesPerSecond{500});
  EXPECT_EQ(forecast(1'015)->so_far, BytesPerSecond{800});
}

TEST_F(Service, DemandsAtLeastWhatTheIntervalInProgressHasShown) {
  steady(1'000, 1'010, 500);
  steady(1'010, 1'015, 800);
  EXPECT_EQ(forecast(1'015)->demand(.5, 1), BytesPerSecond{800});
  EXPECT_LT(forecast(1'025)->demand(.5, 1), BytesPerSecond{800});
}

TEST_F(Service, DemandsTheHighestOfTheLeadsAtTheNextQuantileListed) {
  Forecast forecast;
  forecast.quantiles.values = Eigen::ArrayXXd(2, 5);
  forecast.quantiles.values << 1, 2, 3, 4.2, 5, 6, 7, 8, 9.5, 10;
  EXPECT_EQ(forecast.demand(.95, 1), BytesPerSecond{3});
  EXPECT_EQ(forecast.demand(.97, 1), BytesPerSecond{5});
  EXPECT_EQ(forecast.demand(.99, 2), BytesPerSecond{10});
  EXPECT_EQ(forecast.demand(1, 9), BytesPerSecond{10});
}

TEST_F(Service, IsLimitedUntilNoSampleOfTheLastSecondsWas) {
  report(1'001, 500, true);
  EXPECT_TRUE(forecast(1'001)->limited);
  steady(1'001, 1'010, 500);
  EXPECT_TRUE(forecast(1'010)->limited);
  report(1'011, 500);
  EXPECT_FALSE(forecast(1'011)->limited);
}

// 100 half the time and held back at 60 the other half: the true demand is at least 60, and as far as is known 100.
TEST_F(Service, DoesNotLearnTheLimitAsDemand) {
  for (std::int64_t k = 0; k < 40; ++k) steady(1'000 + 10 * k, 1'010 + 10 * k, k % 2 == 0 ? 100 : 60, k % 2 == 1);
  EXPECT_EQ(forecast(1'400)->quantiles.values.col(0).minCoeff(), 100);
}

TEST_F(Service, LearnsATimerAndSaysWhichModelDoes) {
  for (std::int64_t k = 0; k < 24 * 9; ++k) steady(4'800 + 10 * k, 4'810 + 10 * k, k % 24 == 2 ? 9'000 : 100);
  const auto forecast = this->forecast(4'800 + 240 * 9);
  EXPECT_EQ(forecast->quantiles.model, "seasonal");
  EXPECT_EQ(forecast->quantiles.values(2, 2), 9'000);
  EXPECT_EQ(forecast->quantiles.values(5, 2), 100);
}

// The forecast of a service that was asked at each interval, and of one that first hears of all of it now.
TEST_F(Service, MovesAModelOnToWhereAFitWouldBe) {
  ForecastService at_once(config());
  for (std::int64_t k = 0; k < 300; ++k) {
    for (std::int64_t s = 1; s <= 10; ++s) {
      const std::int64_t time = 1'000 + 10 * k + s;
      report(time, static_cast<std::uint64_t>(1'000 + 37 * (k * 7 % 24)));
      at_once.observe(kVm, kTx, {time * kSecond}, kNanosPerSecond,
                      static_cast<std::uint64_t>(1'000 + 37 * (k * 7 % 24)), false);
    }
    if (k < 299) forecast(1'010 + 10 * k);
  }
  const auto stepwise = forecast(4'000);
  const auto fitted = at_once.predict(kVm, kTx, {4'000 * kSecond});
  EXPECT_EQ(stepwise->quantiles.model, fitted->quantiles.model);
  for (Eigen::Index lead = 0; lead < 6; ++lead)
    EXPECT_NEAR(stepwise->quantiles.values(lead, 0) / fitted->quantiles.values(lead, 0), 1, .1) << lead;
}

TEST_F(Service, SaysHowOftenDemandStayedBelow) {
  for (std::int64_t k = 0; k < 120; ++k) {
    steady(1'000 + 10 * k, 1'010 + 10 * k, 500);
    forecast(1'010 + 10 * k);
  }
  EXPECT_THAT(forecast(2'200)->reason,
              ::testing::ContainsRegex("of 1[0-9]+ intervals [0-9.]+ % were below q95, [0-9.]+ % below q99"));
}

TEST_F(Service, TakesALateSampleIntoTheNextForecast) {
  for (std::int64_t k = 0; k < 5; ++k) steady(1'000 + 10 * k, 1'010 + 10 * k, 100);
  forecast(1'055);
  report(1'049, 5'000);
  EXPECT_EQ(forecast(1'055)->quantiles.values.col(4).maxCoeff(), 5'000);
}

TEST_F(Service, StillForecastsLongAfterTheLastSample) {
  steady(1'000, 1'020, 700);
  const auto forecast = this->forecast(1'000'000'000);
  EXPECT_EQ(forecast->last, BytesPerSecond{700});
  EXPECT_EQ(forecast->quantiles.values.maxCoeff(), 700);
}

TEST_F(Service, AcceptsADataplaneWhoseClockIsAhead) {
  steady(1'000, 1'020, 700);
  EXPECT_EQ(forecast(10)->made_at, UnixNanos{1'010 * kSecond});
}

TEST_F(Service, ShowsTheHistoryFromATimeOn) {
  steady(1'000, 1'010, 100);
  steady(1'020, 1'025, 300, true);
  const auto all = service_.history(kVm, kTx, {0});
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].start, UnixNanos{1'000 * kSecond});
  EXPECT_EQ(all[0].rate, BytesPerSecond{100});
  EXPECT_EQ(all[1].start, UnixNanos{1'020 * kSecond});
  EXPECT_TRUE(all[1].limited);
  EXPECT_EQ(service_.history(kVm, kTx, {1'010 * kSecond}).size(), 1);
}

TEST_F(Service, ForgetsAVmInBothDirections) {
  report(1'001, 500);
  service_.observe(kVm, Direction::kIngress, {1'001 * kSecond}, kSecond, 5, false);
  service_.forget(kVm);
  EXPECT_FALSE(forecast(1'001));
  EXPECT_TRUE(service_.history(kVm, Direction::kIngress, {0}).empty());
}

TEST_F(Service, WithAbsurdSettingsStillAnswers) {
  ForecastService service({.interval_ns = 0, .horizon = 0, .season = 0, .history = 0, .reselect_every = 0});
  service.observe(kVm, kTx, {1'000}, 1, 5, false);
  EXPECT_EQ(service.predict(kVm, kTx, {1'000})->quantiles.horizon(), 1);
}

TEST_F(Service, ServesManyThreads) {
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      for (std::int64_t s = 1; s <= 500; ++s) {
        report(1'000 + s, 100, false, {t % 2});
        service_.predict({t % 2}, kTx, {(1'000 + s) * kSecond});
        if (t == 3 && s % 100 == 0) service_.forget({9});
      }
    });
  threads.clear();
  EXPECT_EQ(service_.history({0}, kTx, {0}).size(), 50);
  EXPECT_EQ(service_.history({1}, kTx, {0}).size(), 50);
}

class ServiceOnDisk : public Service {
 protected:
  ServiceOnDisk() {
    std::string name = std::filesystem::temp_directory_path() / "foreflow-forecast-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "demand.history";
  }
  ~ServiceOnDisk() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_, path_;
};

TEST_F(ServiceOnDisk, ForecastsTheSameAfterARestart) {
  for (std::int64_t k = 0; k < 60; ++k)
    steady(1'000 + 10 * k, 1'010 + 10 * k, static_cast<std::uint64_t>(100 + k % 24));
  steady(1'600, 1'604, 777);
  ASSERT_TRUE(service_.save(path_));
  ForecastService restarted(config());
  ASSERT_TRUE(restarted.load(path_));
  const auto before = forecast(1'605);
  const auto after = restarted.predict(kVm, kTx, {1'605 * kSecond});
  EXPECT_TRUE((after->quantiles.values == before->quantiles.values).all());
  EXPECT_EQ(after->reason, before->reason);
  EXPECT_EQ(after->so_far, BytesPerSecond{777});
}

TEST_F(ServiceOnDisk, ReplacesAnOlderFile) {
  report(1'001, 500);
  ASSERT_TRUE(service_.save(path_));
  report(1'011, 600);
  ASSERT_TRUE(service_.save(path_));
  ForecastService restarted(config());
  ASSERT_TRUE(restarted.load(path_));
  EXPECT_EQ(restarted.history(kVm, kTx, {0}).size(), 2);
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".new"));
}

TEST_F(ServiceOnDisk, KeepsWhatItHasWhenTheFileIsDamaged) {
  report(1'001, 500);
  std::ofstream(path_) << "FFDEMAND and then nothing of use";
  const Status loaded = service_.load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(loaded.error().message, ::testing::HasSubstr("demand.history: its checksum is wrong"));
  EXPECT_TRUE(forecast(1'001));
}

TEST_F(ServiceOnDisk, SaysThatThereIsNoFile) { EXPECT_EQ(service_.load(path_).error().code, ErrorCode::kNotFound); }

TEST_F(ServiceOnDisk, SaysWhereItCannotWrite) {
  report(1'001, 500);
  const Status saved = service_.save(folder_ / "missing" / "file");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, ::testing::HasSubstr("missing/file.new: No such file or directory"));
}

}  // namespace
}  // namespace foreflow::forecast
