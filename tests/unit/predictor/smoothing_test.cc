// SPDX-License-Identifier: Apache-2.0
// Exponential smoothing and Theta against R's ets and thetaf (smoothing_reference.h) on the series of simulated.h.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/models/ets.h"
#include "predictor/models/theta.h"
#include "tests/unit/predictor/simulated.h"
#include "tests/unit/predictor/smoothing_reference.h"

namespace foreflow::predictor {
namespace {

using reference::EtsCase;
using testing::simulated;

EtsForm form_of(std::string_view name) {
  return {static_cast<Component>(name[0]), static_cast<Component>(name[1]), static_cast<Component>(name.back()),
          name[2] == 'd'};
}

std::vector<double> ahead(Recursion& recursion, const std::vector<double>& z, std::size_t horizon) {
  for (const double value : z) recursion.step(value);
  std::vector<double> path(horizon);
  recursion.ahead(path);
  return path;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t h = 0; h < found.size(); ++h) EXPECT_NEAR(found[h], expected[h], tolerance) << "lead " << h;
}

TEST(Ets, LikelihoodAtRsParametersIsRs) {
  for (const EtsCase& expected : reference::kEtsCases) {
    const EtsParameters parameters{expected.alpha, expected.beta, expected.gamma, expected.phi};
    const double found = ets_log_likelihood(simulated(expected.series).values, form_of(expected.form), parameters,
                                            {expected.level, expected.slope, expected.season});
    EXPECT_NEAR(found, expected.log_likelihood, 1e-6 * std::abs(expected.log_likelihood))
        << expected.form << " of series " << expected.series;
  }
}

// Either search may end on a lower maximum than the other: R's does on many, ours may on one in fifty.
TEST(Ets, MaximumIsRsOrHigher) {
  std::size_t reached = 0;
  for (const EtsCase& expected : reference::kEtsCases) {
    const auto [values, season] = simulated(expected.series);
    const auto fit = fit_ets(values, season, form_of(expected.form));
    ASSERT_TRUE(fit) << expected.form;
    EXPECT_EQ(fit->form.name(), expected.form);
    EXPECT_NEAR(fit->aicc + 2 * fit->log_likelihood, expected.aicc + 2 * expected.log_likelihood, 1e-6)
        << expected.form;
    reached += fit->log_likelihood >= expected.log_likelihood - .1;
  }
  EXPECT_GE(reached, reference::kEtsCases.size() * 98 / 100);
}

TEST(Ets, AutomaticFormReachesRs) {
  std::size_t reached = 0;
  for (std::size_t i = 0; i < reference::kEtsAicc.size(); ++i) {
    const auto [values, season] = simulated(i);
    const auto fit = select_ets(values, season);
    ASSERT_TRUE(fit);
    reached += fit->aicc <= reference::kEtsAicc[i] + 2;
  }
  EXPECT_GE(reached, reference::kEtsAicc.size() * 9 / 10);
}

TEST(Ets, OneStepErrorsAreWhatTheLikelihoodSays) {
  const std::vector<double> z = simulated(12).values;
  const auto fit = fit_ets(z, 1, form_of("ANN"));
  ASSERT_TRUE(fit);
  const auto recursion = ets_recursion(*fit);
  double squares = 0;
  for (const double value : z) {
    double expected = 0;
    recursion->ahead({&expected, 1});
    squares += (value - expected) * (value - expected);
    recursion->step(value);
  }
  const auto n = static_cast<double>(z.size());
  EXPECT_NEAR(-n / 2 * std::log(squares), fit->log_likelihood, 1e-9 * n);
}

TEST(Theta, ForecastsAreRs) {
  std::size_t near = 0;
  for (const reference::ThetaCase& expected : reference::kThetaCases) {
    const auto [values, season] = simulated(expected.series);
    const auto found = ahead(*theta_recursion(fit_theta(values, season, ThetaKind::kStandard)), values, 12);
    near += std::ranges::equal(found, expected.ahead, [](double a, double b) { return std::abs(a - b) <= .005 * b; });
  }
  // R ends its search for alpha early on some.
  EXPECT_GE(near, reference::kThetaCases.size() * 9 / 10);
}

// Where R's search ends on the same minimum, the forecasts are the same; it ends early on some, ours never does.
TEST(Theta, OptimisedModelsAreThoseOfThePaper) {
  std::size_t same = 0;
  for (const reference::OptimisedThetaCase& expected : reference::kOptimisedThetaCases) {
    const std::vector<double> values = simulated(expected.series).values;
    const ThetaFit fit = fit_theta(values, 1, expected.dynamic ? ThetaKind::kDynamic : ThetaKind::kOptimised);
    EXPECT_LE(fit.mean_square, 1.001 * expected.mean_square) << expected.series << ' ' << expected.dynamic;
    if (fit.mean_square < .9999 * expected.mean_square) continue;
    ++same;
    SCOPED_TRACE(expected.series);
    expect_near(ahead(*theta_recursion(fit), values, 6), expected.ahead, .05);
  }
  EXPECT_GE(same, 6U);
}

}  // namespace
}  // namespace foreflow::predictor
