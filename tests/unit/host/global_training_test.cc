// SPDX-License-Identifier: Apache-2.0
// The fleet's global model: learned, judged, kept, put in force.
#include "host/forecast/global_training.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "host/app/background_training.h"
#include "host/forecast/law_training.h"
#include "host/forecast/model_registry.h"
#include "predictor/models/global/boosted.h"
#include "predictor/models/seasonal.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::forecast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kSeason = 24;
constexpr std::uint64_t kHour = 3'600 * kNanosPerSecond;

// A model that says of every point what its text says.
class Constant final : public predictor::GlobalModel {
 public:
  explicit Constant(double value) : value_(value) {}
  std::string name() const override { return "constant"; }
  std::string save() const override { return std::to_string(value_); }
  std::unique_ptr<predictor::FittedModel> fit(const predictor::SeriesView&) const override {
    return std::make_unique<Fitted>(value_);
  }

 private:
  class Fitted final : public predictor::FittedModel {
   public:
    explicit Fitted(double value) : value_(value) {}
    predictor::QuantileForecast forecast(std::size_t horizon) const override {
      return {Eigen::ArrayXXd::Constant(static_cast<Eigen::Index>(horizon), predictor::kQuantiles.size(), value_),
              "constant"};
    }
    void update(double, bool) override {}

   private:
    double value_;
  };
  double value_;
};

class ConstantTrainer final : public predictor::Trainer {
 public:
  explicit ConstantTrainer(double value) : value_(value) {}
  std::string name() const override { return "constant"; }
  Result<std::unique_ptr<predictor::GlobalModel>> train(std::span<const predictor::SeriesView>) const override {
    return std::make_unique<Constant>(value_);
  }
  Result<std::unique_ptr<predictor::GlobalModel>> load(std::string_view bytes) const override {
    return std::make_unique<Constant>(std::stod(std::string(bytes)));
  }

 private:
  double value_;
};

// Around 1,000 without any pattern: the constant 1,000 is the best there is, 5,000 is not.
std::vector<predictor::Series> fleet(std::size_t count, std::size_t days) {
  std::mt19937_64 random(3);
  std::vector<predictor::Series> all;
  for (std::size_t i = 0; i < count; ++i) {
    predictor::Series series(kSeason);
    for (std::size_t point = 0; point < days * kSeason; ++point) series.push(999 + static_cast<double>(random() % 3));
    all.push_back(std::move(series));
  }
  return all;
}

// With bursts at random, one in 20 hours.
std::vector<predictor::Series> restless(std::size_t count, std::size_t days) {
  std::mt19937_64 random(5);
  std::vector<predictor::Series> all;
  for (std::size_t i = 0; i < count; ++i) {
    predictor::Series series(kSeason);
    for (std::size_t point = 0; point < days * kSeason; ++point) {
      const double burst = random() % 20 == 0 ? 20 + static_cast<double>(random() % 20) : 1;
      series.push(static_cast<double>(500 + random() % 1'000) * burst);
    }
    all.push_back(std::move(series));
  }
  return all;
}

constexpr TrainingPlan kPlan{.least_series = 3, .least_days = 7, .held_out = 1, .horizon = 4};

TEST(GlobalTraining, NeedsEnoughSeriesThatAreLongEnough) {
  auto series = fleet(3, 8);
  EXPECT_TRUE(train(series, ConstantTrainer(1'000), nullptr, kPlan));
  series[1] = predictor::Series(series[1].view().first(7 * kSeason));
  const auto refused = train(series, ConstantTrainer(1'000), nullptr, kPlan);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("2 series have 8 days of history; 3 are needed"));
}

TEST(GlobalTraining, OnlyAGainOnWhatWasHeldOutMakesItBetter) {
  const auto series = fleet(4, 9);
  const Constant poor(5'000);
  const auto better = train(series, ConstantTrainer(1'000), &poor, kPlan);
  ASSERT_TRUE(better);
  EXPECT_TRUE(better->better);
  EXPECT_EQ(better->series, 4u);
  const auto worse = train(series, ConstantTrainer(5'000), nullptr, kPlan);
  ASSERT_TRUE(worse);
  EXPECT_FALSE(worse->better);
  EXPECT_GT(worse->loss, worse->before);
  const Constant same(1'000);
  EXPECT_FALSE(train(series, ConstantTrainer(1'000), &same, kPlan)->better);
}

TEST(ModelRegistry, KeepsTheNewestAndRefusesWhatWasChanged) {
  test::TemporaryDirectory folder;
  ModelRegistry registry(folder.path());
  EXPECT_EQ(registry.load(ConstantTrainer(0)).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(registry.keep({.series = 1}, std::make_shared<Constant>(1)));
  const auto kept = registry.keep({.trained_at = {5}, .from = {1}, .to = {4}, .series = 30, .loss = .1, .before = .2},
                                  std::make_shared<Constant>(2));
  ASSERT_TRUE(kept);
  const auto loaded = registry.load(ConstantTrainer(0));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->card, kept->card);
  EXPECT_EQ(loaded->model->save(), kept->model->save());
  EXPECT_EQ(loaded->card.hash.size(), 64u);
  const auto path = folder.path() / (kept->card.hash.substr(0, 16) + ".model");
  ASSERT_TRUE(replace_file(path, "3.0"));
  EXPECT_EQ(registry.load(ConstantTrainer(0)).error().code, ErrorCode::kMalformed);
}

class BackgroundTrainingTest : public ::testing::Test {
 protected:
  // Two VMs with `days` of hourly demand.
  void observe(std::size_t days) {
    for (std::size_t hour = 0; hour < days * kSeason; ++hour, clock_.advance(std::chrono::hours(1)))
      for (const std::uint32_t vm : {1u, 2u})
        service_.observe(VmId{vm}, Direction::kEgress, {clock_.now().value + 1'000'000'000}, kNanosPerSecond,
                         999 + hour % 3, false);
  }
  void learn(double value, double present) {
    ASSERT_TRUE(ModelRegistry(folder_.path()).keep({}, std::make_shared<Constant>(present)));
    const ConstantTrainer trainer(value);
    app::BackgroundTraining training({service_, trainer, clock_}, ModelRegistry(folder_.path()),
                                     {.least_series = 2, .least_days = 7, .held_out = 1, .horizon = 4});
    training.restore();
    training.run_once();
  }
  std::string model_of(std::uint32_t vm) {
    return service_.predict(VmId{vm}, Direction::kEgress, clock_.now())->quantiles.model;
  }

  std::string kept() { return ModelRegistry(folder_.path()).load(ConstantTrainer(0))->model->save(); }

  test::TemporaryDirectory folder_;
  ManualClock clock_{
      UnixNanos{1'800'000'000'000'000'000 / static_cast<std::int64_t>(kHour) * static_cast<std::int64_t>(kHour)}};
  ForecastService service_{{.interval_ns = kHour, .horizon = 4, .season = kSeason, .history = 20 * kSeason}};
};

TEST_F(BackgroundTrainingTest, ABetterModelForecastsANewVmAtOnceAndOutlivesARestart) {
  observe(10);
  learn(1'000, 5'000);
  EXPECT_EQ(kept(), "1000.000000");
  service_.observe(VmId{9}, Direction::kEgress, clock_.now(), kNanosPerSecond, 5, false);
  EXPECT_EQ(model_of(9), "constant");
  ForecastService restarted({.interval_ns = kHour, .horizon = 4, .season = kSeason, .history = 20 * kSeason});
  restarted.observe(VmId{9}, Direction::kEgress, clock_.now(), kNanosPerSecond, 5, false);
  const ConstantTrainer trainer(0);
  app::BackgroundTraining({restarted, trainer, clock_}, ModelRegistry(folder_.path()), {}).restore();
  EXPECT_EQ(restarted.predict(VmId{9}, Direction::kEgress, clock_.now())->quantiles.model, "constant");
}

TEST_F(BackgroundTrainingTest, AWorseModelIsNotPutInForce) {
  observe(10);
  learn(5'000, 1'000);
  EXPECT_EQ(kept(), "1000.000000");
}

TEST_F(BackgroundTrainingTest, AModelThatIsWorseForAVmIsNotChosenForIt) {
  observe(10);
  service_.use_global(std::make_shared<Constant>(9e6), "for this test");
  EXPECT_NE(model_of(1), "constant");
}

TEST_F(BackgroundTrainingTest, LimitsFollowTheLawOnceTheFleetHasTaughtIt) {
  const ConstantTrainer trainer(0);
  app::BackgroundTraining training({service_, trainer, clock_}, ModelRegistry(folder_.path()),
                                   {.least_series = 2, .least_days = 7, .held_out = 1, .horizon = 4});
  const auto reason = [this] { return service_.predict(VmId{1}, Direction::kEgress, clock_.now())->reason; };
  observe(9);
  training.learn_law();
  EXPECT_THAT(reason(), Not(HasSubstr("by the law"))) << "7 days to choose models by and 3 to judge are needed";
  observe(2);
  training.learn_law();
  EXPECT_THAT(reason(), HasSubstr("allocated by the law, learned from 144 intervals of 2 series"));
}

TEST(LawTraining, TeachesOnlyWhatTheFleetCanTell) {
  EXPECT_THAT(learn_law(restless(2, 20), nullptr, kPlan).error().message, HasSubstr("3 are needed"));
  const auto few = learn_law(restless(3, 20), nullptr, kPlan);
  ASSERT_TRUE(few) << few.error().message;
  EXPECT_FALSE(few->knobs[4]) << "216 intervals say nothing of one in a thousand";
  const auto law = learn_law(restless(14, 20), nullptr, kPlan);
  ASSERT_TRUE(law) << law.error().message;
  EXPECT_FALSE(law->knobs[0]) << "the law begins far above the median";
  ASSERT_TRUE(law->knobs[3] && law->knobs[4]);
  EXPECT_LE(*law->knobs[3], *law->knobs[4]);
}

TEST(Histories, MarkLimitedIntervalsAsLowerBounds) {
  ForecastService service({.interval_ns = kHour, .season = kSeason, .history = 2 * kSeason});
  const std::int64_t hour = static_cast<std::int64_t>(kHour);
  service.observe(VmId{1}, Direction::kEgress, {10 * hour + 1'000'000'000}, kNanosPerSecond, 100, true);
  service.observe(VmId{1}, Direction::kEgress, {11 * hour + 1'000'000'000}, kNanosPerSecond, 100, false);
  service.observe(VmId{1}, Direction::kEgress, {12 * hour + 1'000'000'000}, kNanosPerSecond, 100, false);
  const auto all = service.histories();
  ASSERT_EQ(all.series.size(), 1u);
  const auto view = all.series[0].view();
  ASSERT_EQ(view.size(), 2u);
  EXPECT_TRUE(view.is_limited(0));
  EXPECT_FALSE(view.is_limited(1));
}

}  // namespace
}  // namespace foreflow::forecast
