// SPDX-License-Identifier: Apache-2.0
#include "predictor/features/edge.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "predictor/features/dispersion.h"
#include "predictor/features/spectrum.h"
#include "predictor/features/wavelet.h"
#include "predictor/features/whole.h"

namespace foreflow::predictor {
namespace {

constexpr double kBurst = 2;  // times the mean
constexpr std::size_t kNewest = 10;
constexpr std::size_t kHaarLevels = 5;

struct Moments {
  double mean = 0, deviation = 0, trend = 0;
};

double ratio(double value, double by) { return by > 0 ? value / by : 0; }

Moments moments(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  Moments made{.mean = std::accumulate(x.begin(), x.end(), 0.) / n};
  double squares = 0, slope = 0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double departure = x[t] - made.mean;
    squares += departure * departure;
    slope += departure * (static_cast<double>(t) - (n - 1) / 2);
  }
  made.deviation = std::sqrt(squares / n);
  made.trend = slope / (n * (n * n - 1) / 12) * (n - 1);
  return made;
}

double correlation(std::span<const double> x, const Moments& moments, std::size_t lag) {
  double sum = 0;
  for (std::size_t t = lag; t < x.size(); ++t) sum += (x[t] - moments.mean) * (x[t - lag] - moments.mean);
  return ratio(sum, moments.deviation * moments.deviation * static_cast<double>(x.size()));
}

struct Bursts {
  double samples = 0, runs = 0;
};

Bursts bursts(std::span<const double> x, double mean) {
  Bursts found;
  bool before = false;
  for (const double value : x) {
    const bool burst = value > kBurst * mean;
    found.samples += burst;
    found.runs += burst && !before;
    before = burst;
  }
  return found;
}

EdgeVector describe(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  std::vector<double> sorted(x.begin(), x.end());
  std::ranges::sort(sorted);
  const auto quantile = [&](double q) { return sorted[static_cast<std::size_t>(std::ceil(q * n)) - 1]; };
  const Moments m = moments(x);
  const Bursts b = bursts(x, m.mean);
  const auto periods = significant_periods(x, 1e-3, 1);
  const std::vector<double> energies = wavelet_energies(x, Wavelet::kHaar, kHaarLevels);
  const auto newest = x.last(kNewest);
  return {m.mean,
          quantile(.5),
          quantile(.95),
          quantile(.99),
          sorted.back(),
          ratio(m.deviation, m.mean),
          ratio(sorted.back(), m.mean),
          static_cast<double>(std::ranges::count(x, 0.)) / n,
          b.samples / n,
          b.runs,
          ratio(b.samples, b.runs),
          ratio(std::accumulate(newest.begin(), newest.end(), 0.) / kNewest, m.mean),
          m.mean > 0 ? m.trend / m.mean : 0,
          correlation(x, m, 1),
          correlation(x, m, 10),
          hurst_exponent(x).value_or(.5),
          periods.empty() ? 0 : periods[0].points,
          periods.empty() ? 0 : periods[0].share,
          energies[0] + energies[1],
          energies[kHaarLevels]};
}

}  // namespace

Result<EdgeVector> edge_v1(std::span<const double> samples) {
  if (samples.size() > kEdgeMost) samples = samples.last(kEdgeMost);
  Series series(1);
  std::size_t known = 0;
  for (const double value : samples) {
    series.push(value);
    known += std::isfinite(value) && value >= 0;
  }
  if (known < kEdgeFewest)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("not enough data: {} known samples, {} needs {}", known, kEdgeVersion, kEdgeFewest));
  return describe(interpolated(series.view()));
}

}  // namespace foreflow::predictor
