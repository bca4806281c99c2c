// SPDX-License-Identifier: Apache-2.0
// ARIMA against R's arima and auto.arima (arima_reference.h) on the series of simulated.h.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "predictor/models/arima_search.h"
#include "tests/unit/predictor/arima_reference.h"
#include "tests/unit/predictor/simulated.h"
#include "tests/unit/predictor/support.h"

namespace foreflow::predictor {
namespace {

using reference::ArimaCase;
using testing::simulated;

ArimaOrder order_of(const ArimaCase& expected) {
  const auto season = static_cast<std::size_t>(expected.season);
  ArimaOrder order;
  order.arma = {expected.p, expected.q, expected.sp, expected.sq, season};
  order.differencing = {expected.d, expected.sd, season};
  order.constant = expected.constant;
  return order;
}

// Never below R's; equal, but for a likelihood with several maxima of which R, from any of its starts, misses the
// highest.
TEST(Arima, LogLikelihoodIsRs) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < reference::kArimaCases.size(); ++i) {
    const ArimaCase& expected = reference::kArimaCases[i];
    const ArimaFit fit = ArimaLikelihood(simulated(i).values, order_of(expected)).maximise();
    const double tolerance = 1e-4 * std::abs(expected.log_likelihood);
    EXPECT_GE(fit.log_likelihood, expected.log_likelihood - tolerance) << "series " << i;
    equal += fit.log_likelihood <= expected.log_likelihood + tolerance;
  }
  EXPECT_GE(equal, 99U);
}

// How many of the first `count` series reach R's AICc + 2.
std::size_t reached(std::size_t count) {
  std::size_t reached = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [values, season] = simulated(i);
    reached += search_arima(values, season).aicc <= reference::kArimaCases[i].aicc + 2;
  }
  return reached;
}

TEST(Arima, AutomaticOrderReachesRs) { EXPECT_GE(reached(20), 18U); }

// Takes longer than a unit test should: run with --gtest_also_run_disabled_tests.
TEST(Arima, DISABLED_AutomaticOrderReachesRsOnAll) {
  const std::size_t all = reached(reference::kArimaCases.size());
  RecordProperty("reached", static_cast<int>(all));
  EXPECT_GE(all, 90U);
}

// The filter that knows gaps, where there are none, and the fast recursions of a complete series.
TEST(Arima, TheFilterAgreesWithTheFastRecursions) {
  const std::vector<double> z = simulated(3).values;
  const auto column = Eigen::Map<const Eigen::VectorXd>(z.data(), static_cast<Eigen::Index>(z.size()));
  const ArmaOrder order{.p = 2, .q = 1, .sp = 1, .sq = 1, .season = 12};
  const ArmaParameters parameters = arma_parameters(order, Eigen::VectorXd::LinSpaced(5, -.6, .7));
  const Whitened fast = whiten(parameters, column), slow = whiten(parameters, Differencing{}, column);
  EXPECT_TRUE(fast.innovations.isApprox(slow.innovations, 1e-8));
  EXPECT_NEAR(fast.log_variances, slow.log_variances, 1e-8);
  EXPECT_EQ(fast.points, slow.points);
}

TEST(Arima, AGapIsAsLikelyAsWhatItHides) {
  std::vector<double> z = simulated(8).values;
  ArimaOrder order;
  order.arma.p = 1;
  order.constant = true;
  const double whole = ArimaLikelihood(z, order).maximise().aicc;
  z[40] = z[41] = testing::kGap;
  const ArimaFit fit = ArimaLikelihood(z, order).maximise();
  const double per_point = whole / static_cast<double>(z.size());
  EXPECT_NEAR(fit.aicc, per_point * static_cast<double>(z.size() - 2), 3 * per_point);
}

// A season of 288 points and noise: the harmonics know the next day.
TEST(Arima, HarmonicsDescribeALongSeason) {
  testing::Uniforms uniform(5);
  const auto level = [](std::size_t i) { return 1'000 + 400 * std::sin(static_cast<double>(i) * 2 * M_PI / 288); };
  Series series(288);
  for (std::size_t i = 0; i < std::size_t{288} * 4; ++i) series.push(level(i) + 40 * (uniform() - .5));
  const QuantileForecast forecast = Arima().fit(series.view())->forecast(288);
  double error = 0;
  for (std::size_t h = 0; h < 288; ++h)
    error += std::abs(forecast.values(static_cast<Eigen::Index>(h), 0) - level(series.size() + h)) / 288;
  EXPECT_LT(error, 15);
}

}  // namespace
}  // namespace foreflow::predictor
