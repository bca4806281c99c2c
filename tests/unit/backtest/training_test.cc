// SPDX-License-Identifier: Apache-2.0
// Who learns from whom, and what an allocation may know.
#include "host/app/backtest/training.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/app/backtest/replay.h"

namespace foreflow::backtest {
namespace {

Recording recording(std::string name, std::size_t rows, double level) {
  Recording made{.name = std::move(name), .kind = {}, .series = predictor::Series(kDay), .observed = {}};
  for (std::size_t i = 0; i < rows; ++i) made.series.push(level * (i % 12 == 0 ? 20 : 1));
  made.observed.assign(rows, 1);
  return made;
}

// Forecasts what is largest in the series it was fitted to.
class Largest final : public predictor::GlobalModel {
 public:
  explicit Largest(double learned) : learned_(learned) {}
  std::string name() const override { return "largest"; }
  std::string save() const override { return std::to_string(learned_); }
  std::unique_ptr<predictor::FittedModel> fit(const predictor::SeriesView& series) const override {
    auto fitted = std::make_unique<Fitted>();
    for (const double value : series.values) fitted->update(value, false);
    return fitted;
  }
  double learned() const { return learned_; }

 private:
  class Fitted final : public predictor::FittedModel {
   public:
    predictor::QuantileForecast forecast(std::size_t horizon) const override {
      return {Eigen::ArrayXXd::Constant(static_cast<Eigen::Index>(horizon), predictor::kQuantiles.size(), most_), ""};
    }
    void update(double value, bool) override { most_ = std::max(most_, value); }

   private:
    double most_ = 0;
  };
  double learned_;
};

// Learns the largest value of its fleet.
class LargestTrainer final : public predictor::Trainer {
 public:
  std::string name() const override { return "largest"; }
  Result<std::unique_ptr<predictor::GlobalModel>> train(std::span<const predictor::SeriesView> fleet) const override {
    double most = 0;
    for (const predictor::SeriesView& series : fleet)
      for (const double value : series.values) most = std::max(most, value);
    return std::make_unique<Largest>(most);
  }
  Result<std::unique_ptr<predictor::GlobalModel>> load(std::string_view) const override {
    return fail(ErrorCode::kUnsupported, "not needed");
  }
};

double learned(const predictor::GlobalModel& model) { return dynamic_cast<const Largest&>(model).learned(); }

TEST(Training, NoModelHasSeenTheSeriesItServes) {
  std::vector<Recording> fleet;
  fleet.reserve(20);
  for (int vm = 0; vm < 20; ++vm) fleet.push_back(recording("vm" + std::to_string(vm), 100, 1));
  std::set<std::size_t> folds;
  for (const Recording& odd : fleet) {
    std::vector<Recording> changed = fleet;
    for (Recording& one : changed)
      if (one.name == odd.name) one = recording(one.name, 100, 1e6);
    const auto trained = train_on_others(LargestTrainer{}, changed, 100);
    ASSERT_TRUE(trained);
    EXPECT_EQ(learned(trained->model_for(odd.name)), 20) << odd.name;
    folds.insert(fold_of(odd.name));
  }
  EXPECT_EQ(folds.size(), kFolds);
}

TEST(Training, LaterRowsAreNotLearnedFrom) {
  std::vector<Recording> fleet{recording("a", 100, 1), recording("b", 100, 1)};
  for (Recording& one : fleet) {
    one.series.push(1e9);
    one.observed.push_back(1);
  }
  const auto trained = train_on_all(LargestTrainer{}, fleet, 100);
  ASSERT_TRUE(trained);
  EXPECT_EQ(learned(trained->model_for("a")), 20);
}

TEST(Training, RowsThatWereNotObservedAreGaps) {
  std::vector<Recording> fleet{recording("a", 100, 1)};
  fleet[0].observed.assign(100, 0);
  const auto trained = train_on_all(LargestTrainer{}, fleet, 100);
  ASSERT_TRUE(trained);
  EXPECT_EQ(learned(trained->model_for("a")), 0);
}

Replayed replayed(const Recording& recording, Law law, const Span& span, bool write) {
  const auto fitted = Largest(0).fit(recording.series.view().first(span.first));
  return replay(recording, *fitted, law, span, 0, write);
}

TEST(Replay, AnAllocationKnowsOnlyEarlierRows) {
  Recording before = recording("a", 9 * kDay, 1e3);
  Recording after = recording("a", 9 * kDay - 1, 1e3);
  after.series.push(1e12);
  after.observed.push_back(1);
  const Span all{.first = 8 * kDay, .end = 9 * kDay};
  const Replayed one = replayed(before, Law::kRaw, all, true);
  const Replayed other = replayed(after, Law::kRaw, all, true);
  EXPECT_FALSE(one.rows.empty());
  EXPECT_EQ(one.rows, other.rows);
  EXPECT_GT(other.cost.unserved[kKnobs - 1], 9e11);
}

TEST(Replay, TheProductionLawFallsSlowly) {
  Recording calm = recording("a", 8 * kDay, 1e3);
  for (std::size_t i = 0; i < 2 * kDay; ++i) {
    calm.series.push(1);
    calm.observed.push_back(1);
  }
  const Span fall{.first = 8 * kDay, .end = 10 * kDay};
  const Cost raw = replayed(calm, Law::kRaw, fall, false).cost;
  const Cost production = replayed(calm, Law::kProduction, fall, false).cost;
  for (std::size_t knob = 0; knob < kKnobs; ++knob) EXPECT_GE(production.allocated[knob], .99 * raw.allocated[knob]);
}

}  // namespace
}  // namespace foreflow::backtest
