// SPDX-License-Identifier: Apache-2.0
// A model that goes along with a series, with its quantiles corrected by what came.
#include "predictor/models/tracked.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/predictor/noise.h"

namespace foreflow::predictor {
namespace {

constexpr std::size_t kHorizon = 3, k95 = 2, k99 = 3;

// Always the same row: too sure of itself for uniform values from 0 to 1000.
class Sure final : public Model {
 public:
  std::string name() const override { return "sure"; }
  std::unique_ptr<FittedModel> fit(const SeriesView& /*series*/) const override {
    class Fitted final : public FittedModel {
      QuantileForecast forecast(std::size_t horizon) const override {
        const Eigen::Array<double, 1, 5> row{500, 600, 650, 700, 750};
        return {row.replicate(static_cast<Eigen::Index>(horizon), 1), "sure"};
      }
      void update(double /*value*/, bool /*limited*/) override {}
    };
    return std::make_unique<Fitted>();
  }
};

Tracked tracked() {
  Tracked made(kHorizon);
  made.fit(Sure(), Series(24).view());
  return made;
}

TEST(Tracked, CorrectsEveryLead) {
  testing::Noise noise(7);
  Tracked model = tracked();
  std::array<std::size_t, kHorizon> above{};
  constexpr std::size_t kPoints = 10'000;
  std::array<double, kHorizon> values{};
  for (std::size_t i = 0; i < kPoints; ++i) {
    // values[lead]: what comes at that lead, drawn in advance.
    for (double& value : values) value = 1'000 * noise.next();
    const QuantileForecast told = model.forecast();
    for (std::size_t lead = 0; lead < kHorizon; ++lead)
      above[lead] += i >= kPoints / 2 && values[lead] > told.values(static_cast<Eigen::Index>(lead), k95) ? 1 : 0;
    model.arrive(values[0], false);
  }
  for (const std::size_t count : above) EXPECT_NEAR(static_cast<double>(count) / (kPoints / 2), .05, .01);
}

TEST(Tracked, CountsWhatStayedBelow) {
  testing::Noise noise(8);
  Tracked model = tracked();
  for (int i = 0; i < 4'000; ++i) {
    model.forecast();
    model.arrive(i % 10 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1'000 * noise.next(), i % 10 == 1);
  }
  EXPECT_EQ(model.coverage().points, 3'200);  // gaps and lower bounds say nothing
  EXPECT_NEAR(static_cast<double>(model.coverage().below[k95]) / 3'200, .95, .02);
  EXPECT_NEAR(static_cast<double>(model.coverage().below[k99]) / 3'200, .99, .01);
}

TEST(Tracked, AnotherFitForTheSamePointChangesNothingOfTheCorrection) {
  testing::Noise noise(9);
  Tracked once = tracked();
  Tracked twice = tracked();
  for (int i = 0; i < 500; ++i) {
    once.forecast();
    twice.forecast();
    twice.fit(Sure(), Series(24).view());
    ASSERT_TRUE((once.forecast().values == twice.forecast().values).all()) << i;
    const double value = 1'000 * noise.next();
    once.arrive(value, false);
    twice.arrive(value, false);
  }
}

TEST(Tracked, LearnsNothingFromPointsThatWereMissed) {
  Tracked model = tracked();
  const QuantileForecast before = model.forecast();
  model.skip();
  model.arrive(1e9, false);
  EXPECT_TRUE((model.forecast().values == before.values).all());
  EXPECT_EQ(model.coverage().points, 0);
}

}  // namespace
}  // namespace foreflow::predictor
